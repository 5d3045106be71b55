// Times as text: local with offset, UTC, spans and ages.
import type { Language, Zone } from "./settings";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export type TimeForm = "full" | "seconds" | "clock" | "day";

/** Milliseconds since 1970 of an RFC 3339 text or of milliseconds; `null` where it is neither. */
export function toMs(value: string | number | null | undefined): number | null {
  if (value === null || value === undefined) return null;
  const ms = typeof value === "number" ? value : Date.parse(value);
  return Number.isFinite(ms) ? ms : null;
}

/** The offset of the viewer's zone at a time, such as `+09:00`. */
export function offsetOf(ms: number, zone: Zone): string {
  if (zone === "utc") return "Z";
  const minutes = -new Date(ms).getTimezoneOffset();
  const sign = minutes < 0 ? "-" : "+";
  const size = Math.abs(minutes);
  return `${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/**
 * A time as text in ISO order.
 *
 * `full` has milliseconds, `seconds` ends with seconds, `clock` is the time of day, `day` the
 * date. The first three end with the offset.
 */
export function timeText(ms: number, zone: Zone, form: TimeForm = "seconds"): string {
  const shifted = zone === "utc" ? ms : ms - new Date(ms).getTimezoneOffset() * MINUTE;
  const iso = new Date(shifted).toISOString();
  const day = iso.slice(0, 10);
  const offset = offsetOf(ms, zone);
  const gap = offset === "Z" ? "" : " ";
  if (form === "day") return day;
  if (form === "clock") return `${iso.slice(11, 19)}${gap}${offset}`;
  const clock = form === "full" ? iso.slice(11, 23) : iso.slice(11, 19);
  return `${day} ${clock}${gap}${offset}`;
}

/** The time in UTC with milliseconds, as RFC 3339. */
export function utcText(ms: number): string {
  return new Date(ms).toISOString();
}

/** Made once: lists show hundreds of ages, each renewed every second. */
const ages: Partial<Record<Language, Intl.RelativeTimeFormat>> = {};

/** An age such as "3 min ago" in the viewer's language. */
export function ageText(ms: number, now: number, language: Language): string {
  const past = ms - now;
  const size = Math.abs(past);
  const format = (ages[language] ??= new Intl.RelativeTimeFormat(language, { numeric: "always", style: "narrow" }));
  if (size < MINUTE) return format.format(Math.trunc(past / 1000) || -0, "second");
  if (size < HOUR) return format.format(Math.trunc(past / MINUTE), "minute");
  if (size < 2 * DAY) return format.format(Math.trunc(past / HOUR), "hour");
  return format.format(Math.trunc(past / DAY), "day");
}

/** A span such as `850 ms`, `12.4 s`, `3 min 20 s`, `2 h 05 min`, `3 d 4 h`. */
export function spanText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ${Math.floor((ms % MINUTE) / 1000)} s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${two(Math.floor((ms % HOUR) / MINUTE))} min`;
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`;
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}
