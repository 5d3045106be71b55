// Parsing records again: what is asked for, how far a run is, and how long it still takes.
import type { Reparse, ReparseRequest } from "@/api/types";

const DAY_MS = 86_400_000;

/** Before so much is done, nothing can be said of the rest. */
const ESTIMATE_AFTER_MS = 2_000;
const ESTIMATE_AFTER_SHARE = 0.01;

export interface Asked {
  /** All where empty. */
  sources: readonly string[];
  /** First and last day of receipt as they are typed; blank for no bound. */
  from: string;
  until: string;
}

/** The names in the address, each once. */
export function namesOf(text: string | undefined): string[] {
  return [...new Set((text ?? "").split(",").map((name) => name.trim()).filter(Boolean))];
}

/** Names as they stand in the address. */
export function namesText(names: readonly string[]): string | undefined {
  return names.length > 0 ? names.join(",") : undefined;
}

/** Whether it is a day of the calendar, as `2026-11-02`. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isFinite(ms) && dayOf(ms) === text;
}

/** What is wrong with the days; `null` where nothing is. */
export function faultOf({ from, until }: Pick<Asked, "from" | "until">): "day" | "order" | null {
  if ([from, until].some((day) => day !== "" && !isDay(day))) return "day";
  return from !== "" && until !== "" && from > until ? "order" : null;
}

/** What is sent. */
export function requestOf({ sources, from, until }: Asked): ReparseRequest {
  return { sources: [...sources], from: from || null, until: until || null };
}

/** The last `n` days up to today, in UTC as days of receipt are. */
export function lastDays(n: number, nowMs: number): Pick<Asked, "from" | "until"> {
  return { from: dayOf(nowMs - (n - 1) * DAY_MS), until: dayOf(nowMs) };
}

export function isOver(run: Pick<Reparse, "state">): boolean {
  return run.state !== "running" && run.state !== "waiting";
}

type Progress = Pick<Reparse, "state" | "records" | "ms"> & { cost: { records: number } };

/** How far a run is, from 0 to 1. */
export function shareOf(run: Progress): number {
  if (run.state === "done") return 1;
  return run.cost.records === 0 ? 0 : Math.min(1, run.records / run.cost.records);
}

/** Milliseconds until it is done if it goes on as before; `null` while nothing can be said. */
export function leftMs(run: Progress): number | null {
  const share = shareOf(run);
  if (isOver(run) || run.ms < ESTIMATE_AFTER_MS || share < ESTIMATE_AFTER_SHARE) return null;
  return (run.ms * (1 - share)) / share;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
