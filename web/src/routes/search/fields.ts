// Fields as the search page shows them: defaults, widths, and what kind of value they hold.
import type { EntityKind } from "@/api/types";

export const DEFAULT_COLUMNS: readonly string[] = ["time", "source", "host", "user", "src_ip", "summary"];
/** The usual columns beside an open event. */
export const NARROW_COLUMNS: readonly string[] = ["time", "host", "summary"];
export const DEFAULT_FIELDS: readonly string[] = ["source", "class", "activity", "status", "action", "user", "host", "src_ip", "dst_ip", "dst_port"];
/** The server counts at most so many at once. */
export const FIELDS_MAX = 12;
/** More columns are no table any more. */
export const COLUMNS_MAX = 24;

const WIDTHS: Record<string, number> = {
  time: 204,
  received_time: 204,
  source: 124,
  class: 132,
  activity: 84,
  severity: 104,
  status: 84,
  action: 84,
  host: 112,
  user: 104,
  src_ip: 118,
  dst_ip: 118,
  src_port: 76,
  dst_port: 76,
  flow: 260,
  summary: 320,
  raw_data: 480,
  message: 320,
};
const LONG = new Set(["summary", "raw_data", "raw", "message", "msg", "process_cmd_line", "command_line", "flow"]);
const TIMES = new Set(["time", "time_dt", "received_time", "received"]);
const KINDS: [RegExp, EntityKind][] = [
  [/(?:^|[_.])ip$/, "ip"],
  [/^user$|user[_.]name$/, "user"],
  [/^host$|(?:^|[_.])hostname$/, "host"],
  [/^domain$|query[_.]hostname$/, "domain"],
];

export function widthOf(name: string): number {
  return WIDTHS[name] ?? (LONG.has(name) ? 320 : Math.max(104, Math.min(200, 24 + name.length * 8)));
}

/** Texts that are shown as log text, and take the room that is left. */
export function isLong(name: string): boolean {
  return LONG.has(name);
}

export function isTime(name: string): boolean {
  return TIMES.has(name) || name.endsWith("_time_dt") || name.endsWith("_time");
}

/** The kind of entity a field's values are, where they are one. */
export function kindOf(name: string): EntityKind | undefined {
  if (name.startsWith("dns") && name.includes("hostname")) return "domain";
  return KINDS.find(([pattern]) => pattern.test(name))?.[1];
}

/** Put together of several fields: cannot be sorted by or counted. */
export function isComposed(name: string): boolean {
  return name === "summary" || name === "flow";
}

/** A cell's value as text, empty where there is none. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => typeof item !== "object")) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
