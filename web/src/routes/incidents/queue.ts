// Which incidents the queue shows, in what order, and how many each filter would leave.
import type { IncidentState, IncidentSummary, Severity } from "@/api/types";

export const STATE_FILTERS = ["open", "new", "in_progress", "on_hold", "done", "all"] as const;
export type StateFilter = (typeof STATE_FILTERS)[number];
/** Those of the viewer, and those that nobody works on. */
export const OWNER_FILTERS = ["mine", "none"] as const;
export type OwnerFilter = (typeof OWNER_FILTERS)[number];
export const SEVERITIES: readonly Severity[] = ["critical", "high", "medium", "low", "informational"];

export interface QueueFilter {
  state: StateFilter;
  /** Empty: all. */
  severities: readonly Severity[];
  /** Absent: anybody's. */
  owner?: OwnerFilter | undefined;
  /** The viewer's name, for `mine`. */
  me?: string | undefined;
  text: string;
}

/** What names a row: every tenant numbers its own incidents. */
export function keyOf(incident: { tenant: string; id: string }): string {
  return `${incident.tenant}/${incident.id}`;
}

/** Whether nothing is left to do in this state. */
export function isDone(state: IncidentState): boolean {
  return state === "resolved" || state === "closed";
}

/** The severities of the address; unknown words are passed over. */
export function severitiesOf(text: string | undefined): Severity[] {
  const words = new Set((text ?? "").split(","));
  return SEVERITIES.filter((severity) => words.has(severity));
}

/** The incidents that pass, worst first. */
export function queueOf(incidents: readonly IncidentSummary[], filter: QueueFilter): IncidentSummary[] {
  return incidents
    .filter((one) => inState(one, filter.state) && inSeverity(one, filter.severities) && inOwner(one, filter.owner, filter.me) && hasText(one, filter.text))
    .sort(inQueueOrder);
}

/** How many incidents each state would show, the other filters standing. */
export function countsByState(incidents: readonly IncidentSummary[], filter: QueueFilter): Record<StateFilter, number> {
  const rest = incidents.filter((one) => inSeverity(one, filter.severities) && inOwner(one, filter.owner, filter.me) && hasText(one, filter.text));
  return Object.fromEntries(
    STATE_FILTERS.map((state) => [state, rest.filter((one) => inState(one, state)).length]),
  ) as Record<StateFilter, number>;
}

/** How many incidents each severity would show, the other filters standing. */
export function countsBySeverity(incidents: readonly IncidentSummary[], filter: QueueFilter): Record<Severity, number> {
  const rest = incidents.filter((one) => inState(one, filter.state) && inOwner(one, filter.owner, filter.me) && hasText(one, filter.text));
  return Object.fromEntries(
    SEVERITIES.map((severity) => [severity, rest.filter((one) => one.severity === severity).length]),
  ) as Record<Severity, number>;
}

/** How many incidents each filter of owners would show, the other filters standing. */
export function countsByOwner(incidents: readonly IncidentSummary[], filter: QueueFilter): Record<OwnerFilter, number> {
  const rest = incidents.filter((one) => inState(one, filter.state) && inSeverity(one, filter.severities) && hasText(one, filter.text));
  return Object.fromEntries(
    OWNER_FILTERS.map((owner) => [owner, rest.filter((one) => inOwner(one, owner, filter.me)).length]),
  ) as Record<OwnerFilter, number>;
}

/** Open before done, worse before better, untouched before taken, newest before older. */
export function inQueueOrder(a: IncidentSummary, b: IncidentSummary): number {
  return (
    Number(!isOpen(a)) - Number(!isOpen(b)) ||
    b.severity_id - a.severity_id ||
    Number(isTaken(a)) - Number(isTaken(b)) ||
    Date.parse(b.last_time_dt) - Date.parse(a.last_time_dt) ||
    (keyOf(a) < keyOf(b) ? -1 : 1)
  );
}

function isTaken(incident: IncidentSummary): boolean {
  return incident.state !== "new" || incident.owner !== null;
}

function isOpen(incident: IncidentSummary): boolean {
  return !isDone(incident.state) && incident.merged_into === null;
}

function inState(incident: IncidentSummary, state: StateFilter): boolean {
  if (state === "all") return true;
  if (state === "open") return isOpen(incident);
  if (state === "done") return !isOpen(incident);
  return isOpen(incident) && incident.state === state;
}

function inSeverity(incident: IncidentSummary, severities: readonly Severity[]): boolean {
  return severities.length === 0 || severities.includes(incident.severity);
}

function inOwner(incident: IncidentSummary, owner: OwnerFilter | undefined, me: string | undefined): boolean {
  if (owner === undefined) return true;
  return owner === "none" ? incident.owner === null : me !== undefined && incident.owner === me;
}

function hasText(incident: IncidentSummary, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const { id, tenant, title, title_ja, decided_by, owner, tactics, principals } = incident;
  const all = [id, tenant, title, title_ja, decided_by ?? "", owner ?? "", ...tactics, ...principals.map((one) => one.value)];
  const haystack = all.join("\n").toLowerCase();
  return words.every((word) => haystack.includes(word));
}
