// Bins of a histogram: without gaps, with marks on the axis.
import type { Histogram } from "@/api/types";

export interface Bin {
  fromMs: number;
  untilMs: number;
  count: number;
}

/** More bins than this are never drawn. */
const BINS_MAX = 400;
const NICE_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000].map(
  (s) => s * 1_000,
);

/** All bins from the first to the last, those without events, too. */
export function allBins(histogram: Histogram): Bin[] {
  const from = Date.parse(histogram.from_time_dt);
  const until = Date.parse(histogram.until_time_dt);
  const step = histogram.step_ms;
  if (!(from < until) || step <= 0) return [];
  const counts = new Map(histogram.bins.map((bin) => [Math.round((Date.parse(bin.time_dt) - from) / step), bin.count]));
  const size = Math.min(BINS_MAX, Math.ceil((until - from) / step));
  return Array.from({ length: size }, (_, i) => ({ fromMs: from + i * step, untilMs: from + (i + 1) * step, count: counts.get(i) ?? 0 }));
}

/** Round moments for the axis, at most `most` of them; `offsetMs` is the zone's, so that days begin at midnight. */
export function axisMarks(fromMs: number, untilMs: number, most: number, offsetMs: number): { ms: number; stepMs: number }[] {
  const stepMs = NICE_MS.find((step) => (untilMs - fromMs) / step <= most) ?? (untilMs - fromMs) / most;
  const first = Math.ceil((fromMs + offsetMs) / stepMs) * stepMs - offsetMs;
  const marks = [];
  for (let ms = first; ms < untilMs; ms += stepMs) marks.push({ ms, stepMs });
  return marks;
}

/** The index of the bin at a share of the width, within bounds. */
export function binAt(share: number, size: number): number {
  return Math.max(0, Math.min(size - 1, Math.floor(share * size)));
}

/** A round number not below the greatest count, for the top of the axis. */
export function roundUp(count: number): number {
  if (count <= 5) return Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(count));
  return [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((n) => n * power).find((n) => n >= count) ?? count;
}
