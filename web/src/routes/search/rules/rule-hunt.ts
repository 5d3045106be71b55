// Running rules over the past: what is asked for, how far a run is, what is wrong with a rule.
import type { ApiProblem } from "@/api/problem";
import type { HuntedRule, RuleHunt, RuleHuntCost, RuleHuntRequest } from "@/api/types";
import { instant, type TimeRange } from "../time-range";

/** Kinds of rules that cannot be run over the past by their id. */
const NOT_RUN = ["filter", "indicator"];

export interface RuleFault {
  /** From 1; absent where the server does not say. */
  line: number | undefined;
  message: string;
  code: string;
}

/** Ids as they stand in the address: with commas between, those within an id escaped. */
export function idsText(ids: readonly string[]): string | undefined {
  return ids.length > 0 ? ids.map(encodeURIComponent).join(",") : undefined;
}

/** The ids in the address, each once. */
export function idsOf(text: string | undefined): string[] {
  return [...new Set((text ?? "").split(",").filter(Boolean).map(unescaped))];
}

/** Whether a rule of the list of rules can be run over the past. */
export function canRun(rule: { id: string; kind: string; error: unknown }): boolean {
  return rule.id !== "" && rule.error === null && !NOT_RUN.includes(rule.kind);
}

/** What is sent; `null` where a bound is no time. */
export function requestOf(ids: readonly string[], text: string, range: TimeRange, nowMs: number): RuleHuntRequest | null {
  const asked: RuleHuntRequest = ids.length > 0 ? { ids: [...ids] } : { rules: text };
  for (const bound of ["from", "until"] as const) {
    const written = range[bound];
    if (written === undefined) continue;
    const at = instant(written, nowMs);
    if (at === null) return null;
    asked[bound] = at;
  }
  return asked;
}

/** What is wrong with a rule: the server says `line 7: message (code)`. */
export function faultOf(problem: Pick<ApiProblem, "code" | "detail">): RuleFault | null {
  if (problem.code !== "rule_invalid") return null;
  const parts = /^line (\d+): ([^]*?)(?: \((\w+)\))?$/.exec(problem.detail);
  const line = Number(parts?.[1]);
  return { line: line >= 1 ? line : undefined, message: parts?.[2] ?? problem.detail, code: parts?.[3] ?? problem.code };
}

export function isOver(hunt: Pick<RuleHunt, "state">): boolean {
  return hunt.state !== "running" && hunt.state !== "waiting";
}

/** How far a run is, from 0 to 1. */
export function shareOf(hunt: Pick<RuleHunt, "state" | "files_done" | "cost">): number {
  if (hunt.state === "done") return 1;
  return hunt.cost.files === 0 ? 0 : Math.min(1, hunt.files_done / hunt.cost.files);
}

/** Data files of which something has to be read. */
export function filesToRead(cost: Pick<RuleHuntCost, "files" | "files_passed_over">): number {
  return Math.max(0, cost.files - cost.files_passed_over);
}

/** The rules as they are named: correlations before the rules they are made of, filters last. */
export function inOrder(rules: readonly HuntedRule[]): HuntedRule[] {
  const rank = (rule: HuntedRule) => (rule.kind === "filter" ? 2 : rule.kind === "rule" ? 1 : 0);
  return [...rules].sort((a, b) => rank(a) - rank(b));
}

/** Why what a run found cannot be recorded; `null` where it can. */
export function recordBar(hunt: Pick<RuleHunt, "state" | "recorded" | "findings_kept">): "running" | "recorded" | "nothing" | null {
  if (hunt.recorded !== null) return "recorded";
  if (hunt.state !== "done" && hunt.state !== "full") return "running";
  return hunt.findings_kept === 0 ? "nothing" : null;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
