// The rules' arithmetic: which are shown and in what order, coverage by tactic, noise.
import type { RuleSummary, Severity } from "@/api/types";
import type { Sort } from "@/components";
import { KILL_CHAIN } from "@/routes/incidents/tactics";

export const LEVELS: readonly Severity[] = ["critical", "high", "medium", "low", "informational"];
export const STATES = ["fired", "silent", "off", "broken"] as const;
export type RuleState = (typeof STATES)[number];

export interface RuleFilter {
  text: string;
  level: Severity | undefined;
  state: RuleState | undefined;
  /** A tactic as Sigma writes it, such as `initial-access`. */
  tactic: string | undefined;
}

/** What names a rule in a list; one that could not be loaded may have no id, or that of another. */
export function keyOf(rule: Pick<RuleSummary, "id" | "path" | "line" | "error">): string {
  return rule.error ? `${rule.path}:${rule.error.line ?? rule.line}:${rule.error.code}` : rule.id;
}

/** The tactics of the matrix as Sigma writes them, in order. */
export const TACTICS: readonly string[] = KILL_CHAIN.map(slug);

/** The tactics that a rule's tags name. */
export function tacticsOf(rule: Pick<RuleSummary, "tags">): string[] {
  const named = new Set(rule.tags.map((tag) => tag.toLowerCase().replaceAll("_", "-")));
  return TACTICS.filter((tactic) => named.has(`attack.${tactic}`));
}

/** The techniques that a rule's tags name, such as `T1059.004`. */
export function techniquesOf(rule: Pick<RuleSummary, "tags">): string[] {
  return rule.tags.flatMap((tag) => /^attack\.(t\d{4}(?:\.\d{3})?)$/i.exec(tag)?.[1]?.toUpperCase() ?? []);
}

export function stateOf(rule: RuleSummary): RuleState {
  if (rule.error) return "broken";
  if (!rule.enabled) return "off";
  return rule.findings > 0 ? "fired" : "silent";
}

/** Why a rule cannot be switched off: switched off, it would go on as before. */
export function whyAlwaysOn(rule: Pick<RuleSummary, "enabled" | "kind" | "only_feeds">): "filter" | "feeds" | undefined {
  if (!rule.enabled) return undefined;
  if (rule.kind === "filter") return "filter";
  return rule.only_feeds ? "feeds" : undefined;
}

/** The rules that pass. */
export function rulesShown(rules: readonly RuleSummary[], filter: RuleFilter): RuleSummary[] {
  return rules.filter((rule) => passes(rule, filter));
}

/** How many rules each state would show, the other filters standing. */
export function countsByState(rules: readonly RuleSummary[], filter: RuleFilter): Record<RuleState, number> {
  const counts = { fired: 0, silent: 0, off: 0, broken: 0 };
  for (const rule of rules) {
    if (passes(rule, { ...filter, state: undefined })) counts[stateOf(rule)] += 1;
  }
  return counts;
}

export interface Coverage {
  tactic: string;
  /** Rules that are in force: they could be loaded, and are on. */
  rules: number;
  findings: number;
}

/** Rules and findings of every tactic; a rule of two tactics counts in both. */
export function coverageOf(rules: readonly RuleSummary[]): Coverage[] {
  return TACTICS.map((tactic) => {
    const of = rules.filter((rule) => !rule.error && rule.enabled && tacticsOf(rule).includes(tactic));
    return { tactic, rules: of.length, findings: of.reduce((sum, rule) => sum + rule.findings, 0) };
  });
}

/** A rule's share of all findings; 0 where there is none. */
export function noiseOf(rule: RuleSummary, findings: number): number {
  return findings > 0 ? rule.findings / findings : 0;
}

/** Above this share a rule is called noisy, unless there are too few findings to say so. */
export const NOISY_SHARE = 0.2;
const NOISY_FINDINGS_MIN = 20;

export function isNoisy(rule: RuleSummary, findings: number): boolean {
  return findings >= NOISY_FINDINGS_MIN && noiseOf(rule, findings) > NOISY_SHARE;
}

/** `-findings` as a sort order. */
export function sortOf(text: string | undefined): Sort | undefined {
  if (!text) return undefined;
  return text.startsWith("-") ? { id: text.slice(1), desc: true } : { id: text, desc: false };
}

export function sortText(sort: Sort | undefined): string | undefined {
  return sort && `${sort.desc ? "-" : ""}${sort.id}`;
}

/** Sigma's `product / category / service` in one line; empty where the rule has no source of its own. */
export function sourceText(rule: Pick<RuleSummary, "logsource">): string {
  const { product, category, service } = rule.logsource ?? {};
  return [product, category, service].filter(Boolean).join(" / ");
}

/** For sorting: critical above high and so on. */
export function levelRank(rule: RuleSummary): number {
  const at = LEVELS.indexOf(rule.level);
  return at < 0 ? 0 : LEVELS.length - at;
}

function passes(rule: RuleSummary, { text, level, state, tactic }: RuleFilter): boolean {
  if (level && rule.level !== level) return false;
  if (state && stateOf(rule) !== state) return false;
  if (tactic && !tacticsOf(rule).includes(tactic)) return false;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const haystack = [rule.id, rule.title, rule.path, rule.kind, rule.status, sourceText(rule), ...rule.tags].join("\n").toLowerCase();
  return words.every((word) => haystack.includes(word));
}

function slug(name: string): string {
  return name.toLowerCase().replaceAll(" ", "-");
}
