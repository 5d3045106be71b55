// The mock's rules: one text for all, with each rule's own title, id, level and condition.

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
