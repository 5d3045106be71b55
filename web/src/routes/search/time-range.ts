// The range of time of a search: as text, as terms of the search, and as it is typed.
import type { Zone } from "@/lib/settings";
import { timeText } from "@/lib/time";

export interface TimeRange {
  /** RFC 3339 in UTC, or counted from now; no bound where absent. */
  from?: string | undefined;
  until?: string | undefined;
}

const COUNTED = /^(?:now|[+-]\d+[smhdw])(?:@(?:s|m|h|d|w|mon))?$/;
const ABSOLUTE = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;
const TYPED = /^(\d{4}-\d\d-\d\d)(?:[ T](\d{1,2}):(\d\d)(?::(\d\d)(\.\d{1,3})?)?)?$/;
const UNIT_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** The farthest time that a `Date` holds. */
const DATE_MS_MAX = 8.64e15;

/** The spans offered, as what `from` becomes. */
export const PRESETS = ["-15m", "-1h", "-4h", "-24h", "-7d", "-30d"] as const;

/** The search with the range as terms, and how far the query's own text moved. */
export function ranged(query: string, range: TimeRange): { query: string; shift: number } {
  const terms = [range.from && `earliest:${range.from}`, range.until && `latest:${range.until}`].filter(Boolean).join(" ");
  if (terms === "") return { query, shift: 0 };
  if (query.trim() === "" || query.trim() === "*") return { query: terms, shift: 0 };
  if (/\sOR\s|\|\|/.test(query)) return { query: `(${query}) ${terms}`, shift: 1 };
  return { query: `${query} ${terms}`, shift: 0 };
}

/** What was typed as a bound: RFC 3339 in UTC, counted from now, or `null` where it is neither. */
export function readBound(typed: string, zone: Zone): string | null {
  const text = typed.trim();
  if (COUNTED.test(text)) return text;
  const bare = text.replace(/\s*(Z|[+-]\d\d:\d\d)$/, "");
  const offset = bare.length < text.length ? text.slice(bare.length).trim() : "";
  const parts = TYPED.exec(bare);
  if (!parts) return null;
  const [, day = "", hour = "00", minute = "00", second = "00", fraction = ""] = parts;
  const clock = `${hour.padStart(2, "0")}:${minute}:${second}${fraction}`;
  const end = offset || (zone === "utc" ? "Z" : "");
  const ms = Date.parse(`${day}T${clock}${end}`);
  return Number.isFinite(ms) ? new Date(ms).toISOString() : null;
}

/** A bound in milliseconds; `null` where only the server can say. */
export function boundMs(bound: string | undefined, nowMs: number): number | null {
  if (bound === undefined) return null;
  if (bound === "now") return nowMs;
  const counted = /^([+-])(\d+)([smhdw])$/.exec(bound);
  if (counted) {
    const size = Number(counted[2]) * (UNIT_MS[counted[3] ?? ""] ?? 0);
    return counted[1] === "-" ? nowMs - size : nowMs + size;
  }
  if (!ABSOLUTE.test(bound)) return null;
  const ms = Date.parse(bound);
  return Number.isFinite(ms) ? ms : null;
}

/** A bound as RFC 3339 in UTC, with `@` going back to the beginning of a unit in UTC as searches do; `null` where it is none. */
export function instant(bound: string, nowMs: number): string | null {
  const [shift = "", snap] = bound.split("@");
  const ms = boundMs(shift === "" ? "now" : shift, nowMs);
  if (ms === null) return null;
  const at = snap === undefined ? ms : snapped(ms, snap);
  return at === null || Math.abs(at) > DATE_MS_MAX ? null : new Date(at).toISOString();
}

/** A bound as people read it. */
export function boundText(bound: string, zone: Zone): string {
  const ms = ABSOLUTE.test(bound) ? Date.parse(bound) : Number.NaN;
  return Number.isFinite(ms) ? timeText(ms, zone) : bound;
}

/** Both bounds in one short text; the day and the offset stand once where both share them. */
export function spanLabel(fromMs: number, untilMs: number, zone: Zone): string {
  const [from, until] = [timeText(fromMs, zone), timeText(untilMs, zone)];
  const [fromDay = "", fromClock = "", fromOffset = ""] = split(from);
  const [untilDay = "", untilClock = "", untilOffset = ""] = split(until);
  const tail = fromDay === untilDay ? untilClock : `${untilDay} ${untilClock}`;
  const head = fromOffset === untilOffset ? `${fromDay} ${fromClock}` : from;
  return `${head} – ${tail}${untilOffset === "Z" ? "Z" : ` ${untilOffset}`}`;
}

/** The range around a moment. */
export function around(ms: number, reachMs: number): { from: string; until: string } {
  return { from: new Date(ms - reachMs).toISOString(), until: new Date(ms + reachMs).toISOString() };
}

function split(text: string): string[] {
  const [day = "", clock = "", offset] = text.split(" ");
  return offset === undefined ? [day, clock.replace(/Z$/, ""), "Z"] : [day, clock, offset];
}

function snapped(ms: number, unit: string): number | null {
  const day = UNIT_MS.d ?? 1;
  if (unit === "mon") return Date.UTC(new Date(ms).getUTCFullYear(), new Date(ms).getUTCMonth());
  // 1970-01-01 was a Thursday; weeks begin on Monday.
  if (unit === "w") return (Math.floor((Math.floor(ms / day) + 3) / 7) * 7 - 3) * day;
  const size = UNIT_MS[unit];
  return size === undefined ? null : Math.floor(ms / size) * size;
}
