// Sends a decision, refusing to overwrite one that the viewer has not seen.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { request, segment } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import { incidentQuery, keys } from "@/api/queries";
import type { Decision, IncidentState, IncidentVerdict } from "@/api/types";
import { keyOf } from "../queue";

export interface Target {
  id: string;
  tenant: string;
}

export interface Proposal {
  state: IncidentState;
  verdict: IncidentVerdict | null;
  reason: string;
}

export interface Refusal {
  target: Target;
  error: Error;
  /** The decision of somebody else, where that is why. */
  theirs: Decision | null;
}

/**
 * Decides on targets one after the other and returns what was refused.
 *
 * `etags` holds, by `keyOf`, the ETag of what the viewer saw. After a conflict the ETag of the
 * newer decision takes its place, so that deciding again is deciding knowingly.
 */
export function useDecide() {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const decide = async (targets: readonly Target[], proposal: Proposal, etags: Map<string, string>): Promise<Refusal[]> => {
    setBusy(true);
    const refusals: Refusal[] = [];
    for (const target of targets) {
      try {
        await send(target, proposal, etags.get(keyOf(target)) ?? "");
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
  return { decide, busy };
}

function send({ id, tenant }: Target, proposal: Proposal, etag: string): Promise<Decision> {
  const headers = { "if-match": etag };
  return request<Decision>("PUT", `/incidents/${segment(id)}/decision`, { body: proposal, headers, query: { tenant } });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
