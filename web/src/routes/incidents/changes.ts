// What each entry of an incident's history changed: the decision, the owner, or both.
import type { Decision } from "@/api/types";

export interface Change {
  decision: Decision;
  /** Whether somebody decided, if only to say so again. */
  decided: boolean;
  /** Whether the owner became another. */
  given: boolean;
}

/** The changes, in the order of `decisions`: the newest first. */
export function changesOf(decisions: readonly Decision[]): Change[] {
  return decisions.map((decision, i) => {
    const before = decisions[i + 1];
    const given = decision.owner !== (before?.owner ?? null);
    const same = decision.state === (before?.state ?? "new") && decision.verdict === (before?.verdict ?? null);
    return { decision, decided: !given || !same || decision.reason !== "", given };
  });
}
