// Verdicts by digit, and the state that each of them proposes.
import type { IncidentState, IncidentVerdict } from "@/api/types";

/** The verdicts in the order of their digits, from 1. */
export const VERDICTS: readonly IncidentVerdict[] = [
  "true_positive",
  "false_positive",
  "benign",
  "suspicious",
  "test",
  "insufficient_data",
  "duplicate",
  "disregard",
];

export const STATES: readonly IncidentState[] = ["new", "in_progress", "on_hold", "resolved", "closed"];

/** The verdict of a digit key. */
export function verdictOfKey(key: string): IncidentVerdict | undefined {
  return /^[1-9]$/.test(key) ? VERDICTS[Number(key) - 1] : undefined;
}

/**
 * The state that usually goes with a verdict: an attack is work that begins, what cannot be
 * told waits, everything else is over.
 */
export function proposedState(verdict: IncidentVerdict, current: IncidentState): IncidentState {
  if (verdict === "true_positive" || verdict === "suspicious") return current === "new" ? "in_progress" : current;
  return verdict === "insufficient_data" ? "on_hold" : "closed";
}

/** Whether the server takes the state without a verdict. */
export function needsVerdict(state: IncidentState): boolean {
  return state === "resolved" || state === "closed";
}
