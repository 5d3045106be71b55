// Which incidents the queue shows, in what order, and how many each filter would leave.
import type { IncidentState, IncidentSummary, Severity } from "@/api/types";

export const STATE_FILTERS = ["open", "new", "in_progress", "on_hold", "done", "all"] as const;
export type StateFilter = (typeof STATE_FILTERS)[number];
export const SEVERITIES: readonly Severity[] = ["critical", "high", "medium", "low", "informational"];

export interface QueueFilter {
  state: StateFilter;
  /** Empty: all. */
  severities: readonly Severity[];
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
    .filter((one) => inState(one, filter.state) && inSeverity(one, filter.severities) && hasText(one, filter.text))
    .sort(inQueueOrder);
}

/** How many incidents each state would show, the other filters standing. */
export function countsByState(incidents: readonly IncidentSummary[], filter: QueueFilter): Record<StateFilter, number> {
  const rest = incidents.filter((one) => inSeverity(one, filter.severities) && hasText(one, filter.text));
  return Object.fromEntries(
    STATE_FILTERS.map((state) => [state, rest.filter((one) => inState(one, state)).length]),
  ) as Record<StateFilter, number>;
}

/** How many incidents each severity would show, the other filters standing. */
export function countsBySeverity(incidents: readonly IncidentSummary[], filter: QueueFilter): Record<Severity, number> {
  const rest = incidents.filter((one) => inState(one, filter.state) && hasText(one, filter.text));
  return Object.fromEntries(
    SEVERITIES.map((severity) => [severity, rest.filter((one) => one.severity === severity).length]),
  ) as Record<Severity, number>;
}

/** Open before done, worse before better, untouched before taken, newest before older. */
export function inQueueOrder(a: IncidentSummary, b: IncidentSummary): number {
  return (
    Number(!isOpen(a)) - Number(!isOpen(b)) ||
    b.severity_id - a.severity_id ||
    Number(a.state !== "new") - Number(b.state !== "new") ||
    Date.parse(b.last_time_dt) - Date.parse(a.last_time_dt) ||
    (keyOf(a) < keyOf(b) ? -1 : 1)
  );
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

function hasText(incident: IncidentSummary, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const { id, tenant, title, title_ja, decided_by, tactics, principals } = incident;
  const all = [id, tenant, title, title_ja, decided_by ?? "", ...tactics, ...principals.map((one) => one.value)];
  const haystack = all.join("\n").toLowerCase();
  return words.every((word) => haystack.includes(word));
}
