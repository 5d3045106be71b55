// Sends a decision or an owner, refusing to overwrite what the viewer has not seen.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { request, segment } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import { incidentQuery, keys } from "@/api/queries";
import type { Decision, IncidentState, IncidentVerdict } from "@/api/types";
import { keyOf } from "../queue";
import type { Target } from "./held";

export interface Proposal {
  state: IncidentState;
  verdict: IncidentVerdict | null;
  reason: string;
  /** Who works on it from then on; where absent, whoever did. */
  owner?: string;
}

export interface Refusal {
  target: Target;
  error: Error;
  /** The decision of somebody else, where that is why. */
  theirs: Decision | null;
  /** Who works on it, where that is why. */
  owner?: string;
}

type Send = (target: Target, etag: string) => Promise<Decision>;

/**
 * Decides on targets, or gives them away, one after the other and returns what was refused.
 *
 * `etags` holds, by `keyOf`, the ETag of what the viewer saw. After a conflict the ETag of the
 * newer state takes its place, so that doing it again is doing it knowingly.
 */
export function useDecide() {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const change = async (targets: readonly Target[], etags: Map<string, string>, send: Send): Promise<Refusal[]> => {
    setBusy(true);
    const refusals: Refusal[] = [];
    for (const target of targets) {
      try {
        await send(target, etags.get(keyOf(target)) ?? "");
      } catch (error) {
        refusals.push({ target, error: asError(error), theirs: await newer(target, error, etags) });
      }
    }
    void client.invalidateQueries({ queryKey: keys.overview });
    await client.invalidateQueries({ queryKey: keys.incidents });
    setBusy(false);
    return refusals;
  };

  const newer = async (target: Target, error: unknown, etags: Map<string, string>): Promise<Decision | null> => {
    if (!(error instanceof ApiProblem) || error.status !== 412) return null;
    try {
      const fresh = await client.fetchQuery({ ...incidentQuery(target.id, target.tenant), staleTime: 0 });
      etags.set(keyOf(target), fresh.etag);
      return fresh.data.decision;
    } catch {
      return null;
    }
  };
  const decide = (targets: readonly Target[], proposal: Proposal, etags: Map<string, string>) =>
    change(targets, etags, (target, etag) => put(target, "decision", proposal, etag));
  const give = (targets: readonly Target[], owner: string | null, etags: Map<string, string>) =>
    change(targets, etags, (target, etag) => put(target, "owner", { owner }, etag));
  return { decide, give, busy };
}

function put({ id, tenant }: Target, what: "decision" | "owner", body: unknown, etag: string): Promise<Decision> {
  return request<Decision>("PUT", `/incidents/${segment(id)}/${what}`, { body, headers: { "if-match": etag }, query: { tenant } });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
