// Takes an incident over: in progress, by whoever presses the key.
import { keyOf } from "../queue";
import { etagOf, type Held, isOthers, isTaken } from "./held";
import { type Refusal, useDecide } from "./useDecide";
import { useMe } from "./useMe";

/** `onRefused` gets what could not be taken. */
export function useTake(onRefused: (refusals: Refusal[]) => void) {
  const me = useMe();
  const { decide, busy } = useDecide();
  const take = async (targets: readonly Held[]) => {
    const refused: Refusal[] = [];
    for (const target of targets) {
      const { owner, verdict, version } = target;
      if (owner !== null && isOthers(target, me)) {
        refused.push({ target, error: new Error(owner), theirs: null, owner });
      } else if (!isTaken(target, me)) {
        const proposal = { state: "in_progress", verdict, reason: "", ...(me && { owner: me }) } as const;
        refused.push(...(await decide([target], proposal, new Map([[keyOf(target), etagOf(version)]]))));
      }
    }
    if (refused.length > 0) onRefused(refused);
  };
  return { take: (targets: readonly Held[]) => void take(targets), busy };
}
