// The mock's rules: one text for all, with each rule's own title, id, level and condition; and their switch.

interface Rule {
  id: string;
  title: string;
  level: string;
  kind: string;
  error: unknown;
}

/** The text of the file that a rule stands in; correlations stand behind the rule they count. */
export function ruleText(base: string, rule: Rule): string {
  const condition = rule.error ? "selection and selection2" : "selection";
  const plain = (title: string, id: string, level: string) =>
    base
      .replace(/^title: .*$/m, `title: ${title}`)
      .replace(/^id: .*$/m, `id: ${id}`)
      .replace(/^level: .*$/m, `level: ${level}`)
      .replace("condition: selection\n", `condition: ${condition}\n`);
  if (rule.kind === "rule") return plain(rule.title, rule.id, rule.level);
  const counted = `${plain(`${rule.title} (single)`, `${rule.id}_single`, "informational")}`;
  return `${counted}---
title: ${rule.title}
id: ${rule.id}
status: test
correlation:
  type: ${rule.kind}
  rules:
    - ${rule.id}_single
  group-by:
    - device.hostname
    - user.name
  timespan: 10m
  condition:
    gte: 20  # above what an administrator types in ten minutes
falsepositives:
  - Inventory scripts
level: ${rule.level}
`;
}

/** What was decided about a rule. */
export interface RuleState {
  enabled: boolean;
  reason: string;
  by: string;
  time_dt: string;
  version: number;
}

interface Switched {
  id: string;
  enabled: boolean;
  switched: RuleState | null;
}

const switched = new Map<string, RuleState[]>();

/** What was decided about a rule since the mock began, and before; newest first. */
export function statesOf(rule: Switched): RuleState[] {
  return [...(switched.get(rule.id) ?? []), ...(rule.switched ? [rule.switched] : [])];
}

/** A rule with what is in force of it. */
export function withState<T extends Switched>(rule: T): T {
  const newest = statesOf(rule)[0] ?? null;
  return { ...rule, switched: newest, enabled: newest?.enabled ?? true };
}

export function ruleTag(rule: Switched): string {
  return `"s${statesOf(rule)[0]?.version ?? 0}"`;
}

/** As the server: nothing where somebody switched it since. A reason of `conflict` lets somebody do so first. */
export function switchRule(rule: Switched, body: Record<string, unknown>, ifMatch: string | undefined): RuleState | undefined {
  const add = (enabled: boolean, reason: string, by: string): RuleState => {
    const before = statesOf(rule);
    const made = { enabled, reason, by, time_dt: new Date().toISOString(), version: (before[0]?.version ?? 0) + 1 };
    switched.set(rule.id, [made, ...(switched.get(rule.id) ?? [])]);
    return made;
  };
  if (body.reason === "conflict" && ifMatch === ruleTag(rule)) add(Boolean(body.enabled), "Asked for by the night shift.", "k.ito");
  if (ifMatch !== ruleTag(rule)) return undefined;
  return add(Boolean(body.enabled), String(body.reason ?? ""), "admin");
}
