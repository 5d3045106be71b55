// Takes an incident over: in progress, by whoever presses the key.
import { useQueryClient } from "@tanstack/react-query";
import { incidentQuery } from "@/api/queries";
import { keyOf } from "../queue";
import { type Refusal, type Target, useDecide } from "./useDecide";

/** `onRefused` gets what could not be taken. */
export function useTake(onRefused: (refusals: Refusal[]) => void) {
  const client = useQueryClient();
  const { decide, busy } = useDecide();
  const take = async (targets: readonly Target[]) => {
    const refused: Refusal[] = [];
    for (const target of targets) {
      try {
        const { etag, data } = await client.fetchQuery({ ...incidentQuery(target.id, target.tenant), staleTime: 0 });
        const { state, by } = data.decision;
        if (state === "in_progress" && by) {
          refused.push({ target, error: new Error(by), theirs: data.decision });
          continue;
        }
        const proposal = { state: "in_progress", verdict: data.decision.verdict, reason: "" } as const;
        refused.push(...(await decide([target], proposal, new Map([[keyOf(target), etag]]))));
      } catch (error) {
        refused.push({ target, error: error instanceof Error ? error : new Error(String(error)), theirs: null });
      }
    }
    if (refused.length > 0) onRefused(refused);
  };
  return { take: (targets: readonly Target[]) => void take(targets), busy };
}
