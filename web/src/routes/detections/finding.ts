// What a finding is about, for showing.
import type { EntityKind, Finding } from "@/api/types";

const ENTITY_KINDS: readonly EntityKind[] = ["host", "user", "ip", "domain"];

/** The entities among a finding's observables: hosts, accounts, addresses, domains, in this order. */
export function entitiesOf(finding: Pick<Finding, "observables">): { kind: EntityKind; value: string }[] {
  return ENTITY_KINDS.flatMap((kind) => finding.observables.filter((one) => one.name === kind).map(({ value }) => ({ kind, value })));
}

/** The other observables: command lines, files, hashes and their like. */
export function thingsOf(finding: Pick<Finding, "observables">): { name: string; type: string; value: string }[] {
  return finding.observables.filter((one) => !ENTITY_KINDS.includes(one.name as EntityKind));
}

/** What a correlation grouped by, as `field=value, …`; empty where the rule does not group. */
export function groupOf(finding: Pick<Finding, "unmapped">): string {
  const { group } = finding.unmapped;
  return typeof group === "string" ? group : "";
}

/** Whether a rule was run over the past for it. */
export function isRetrospective(finding: Pick<Finding, "metadata">): boolean {
  return finding.metadata.labels?.includes("retrospective") ?? false;
}
