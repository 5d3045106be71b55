// The overview's arithmetic: the funnel's log scale, ratios, books and the minutes of the chart.
import type { Books, Feed } from "@/api/types";

/** Where a count stands on a log scale from 0 (nothing) over 1 to `10^decades`, as a share of its height. */
export function logShare(count: number, decades: number): number {
  if (count < 1) return 0;
  return Math.min(1, (Math.log10(count) + 1) / (decades + 1));
}

/** The decades of a scale that holds all counts: a multiple of three, at least three. */
export function decadesOf(counts: readonly number[]): number {
  const most = Math.max(1, ...counts);
  return Math.max(3, Math.ceil(Math.log10(most) / 3 - 1e-9) * 3);
}

/** The scale's labelled counts: 1, 1,000, 1,000,000 and so on. */
export function ticksOf(decades: number): number[] {
  return Array.from({ length: decades / 3 + 1 }, (_, i) => 1_000 ** i);
}

/** What a step of the funnel keeps: one in `n`, the same, `n` for one, or nothing to compare. */
export type Ratio = { kind: "one_in" | "times"; n: number } | { kind: "same" | "none" };

export function ratioOf(before: number, after: number): Ratio {
  if (before <= 0 || after <= 0) return { kind: "none" };
  const n = before / after;
  if (Math.abs(n - 1) < 0.005) return { kind: "same" };
  return n > 1 ? { kind: "one_in", n } : { kind: "times", n: 1 / n };
}

/** The terms of `received = …` that are not 0, stored always among them. */
export function bookTerms(books: Books): [BookTerm, number][] {
  return TERMS.filter((term) => term === "stored" || books[term] !== 0).map((term) => [term, books[term]]);
}

const TERMS = ["stored", "pending", "rejected", "duplicate", "expired", "gap"] as const;
export type BookTerm = (typeof TERMS)[number];

/** Feeds in the order of how much they need somebody: quiet, unbalanced, lossy, then by name. */
export function feedsInOrder(feeds: readonly Feed[]): Feed[] {
  const weight = (feed: Feed) => (feed.quiet ? 4 : 0) + (feed.gap !== 0 ? 2 : 0) + (feed.rejected + feed.dropped_by_kernel > 0 ? 1 : 0);
  const name = (feed: Feed) => `${feed.tenant}\u0000${feed.feed}`;
  return [...feeds].sort((a, b) => weight(b) - weight(a) || (name(a) < name(b) ? -1 : 1));
}

const HOUR_MS = 3_600_000;

/**
 * When the last record of a feed was received, in ms, and whether that is exact: of what came before the
 * process began, at `startedMs`, the server knows only the hour, and this is the latest that it can have been.
 */
export function lastReceived(last: string | null, startedMs: number): { ms: number; exact: boolean } | null {
  const ms = last === null ? NaN : Date.parse(last);
  if (!Number.isFinite(ms)) return null;
  return ms >= startedMs ? { ms, exact: true } : { ms: Math.min(ms + HOUR_MS, startedMs), exact: false };
}

/** The least "round" number (such as 1.5, 2 or 30) that is not below `n`. */
export function roundUp(n: number): number {
  if (n <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(n));
  const factor = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((f) => f * power >= n * (1 - 1e-9)) ?? 10;
  return factor * power;
}

const WINDOW_MS = 600_000;

/** The counts of the last ten minutes; what the process has not lived through stays out at the front. */
export function inWindow(series: { start_time_dt: string; step_ms: number; records: number[]; matches: number[] }) {
  const missing = Math.max(0, Math.round(WINDOW_MS / series.step_ms) - series.records.length);
  const before = Array.from({ length: missing }, () => undefined);
  return {
    startMs: Date.parse(series.start_time_dt) - missing * series.step_ms,
    stepMs: series.step_ms,
    perSecond: [...before, ...series.records.map((n) => (n * 1_000) / series.step_ms)],
    matches: [...before, ...series.matches],
  };
}

/** Sums of a series by whole minutes, oldest first: start in ms, records and matches. */
export function byMinute(series: { start_time_dt: string; step_ms: number; records: number[]; matches: number[] }) {
  const start = Date.parse(series.start_time_dt);
  const rows = new Map<number, { ms: number; spanMs: number; records: number; matches: number }>();
  series.records.forEach((records, i) => {
    const ms = Math.floor((start + i * series.step_ms) / 60_000) * 60_000;
    const row = rows.get(ms) ?? { ms, spanMs: 0, records: 0, matches: 0 };
    row.spanMs += series.step_ms;
    row.records += records;
    row.matches += series.matches[i] ?? 0;
    rows.set(ms, row);
  });
  return [...rows.values()];
}
