// What to do next about an incident, from how far the attack got and how far the work got.
import type { IncidentState, IncidentVerdict, Outcome, Principal } from "@/api/types";

export type NextStep =
  | "merged"
  | "contain"
  | "contain_now"
  | "check_success"
  | "confirm_block"
  | "find_out"
  | "decide"
  | "eradicate"
  | "waiting"
  | "close"
  | "nothing";

export interface Situation {
  state: IncidentState;
  verdict: IncidentVerdict | null;
  outcome: Outcome;
  merged: boolean;
}

/** The key of the sentence that says it. */
export function nextStep({ state, verdict, outcome, merged }: Situation): NextStep {
  if (merged) return "merged";
  if (state === "closed") return "nothing";
  if (state === "resolved") return "close";
  if (state === "on_hold") return "waiting";
  if (verdict === "true_positive") return "eradicate";
  if (state === "in_progress") return outcome === "succeeded" ? "contain_now" : "decide";
  return ({ succeeded: "contain", attempted: "check_success", blocked: "confirm_block", unknown: "find_out" } as const)[outcome];
}

/** Names of the principals in some roles, the foremost three of them; what is white is left alone. */
export function named(principals: readonly Principal[], roles: readonly Principal["role"][]): { names: string[]; more: number } {
  const all = principals.filter((one) => roles.includes(one.role) && one.verdict !== "white").map((one) => one.value);
  return { names: all.slice(0, 3), more: Math.max(0, all.length - 3) };
}
