// The overview's arithmetic.
import { expect, test } from "vitest";
import type { Books, Feed } from "@/api/types";
import { bookTerms, byMinute, decadesOf, feedsInOrder, inWindow, lastReceived, logShare, ratioOf, roundUp, ticksOf } from "./figures";

const NONE: Books = { received: 0, stored: 0, pending: 0, rejected: 0, duplicate: 0, expired: 0, gap: 0, dropped_by_kernel: 0 };

test("the scale tells 0 from 1 and ends at its top", () => {
  expect(logShare(0, 6)).toBe(0);
  expect(logShare(1, 6)).toBeCloseTo(1 / 7);
  expect(logShare(1_000, 6)).toBeCloseTo(4 / 7);
  expect(logShare(1_000_000, 6)).toBe(1);
  expect(logShare(10_000_000, 6)).toBe(1);
});

test("the scale grows by thousands", () => {
  expect(decadesOf([])).toBe(3);
  expect(decadesOf([1_000])).toBe(3);
  expect(decadesOf([1_001])).toBe(6);
  expect(decadesOf([123_959_121, 10])).toBe(9);
  expect(ticksOf(6)).toEqual([1, 1_000, 1_000_000]);
});

test("ratios say one in how many", () => {
  expect(ratioOf(1_000, 10)).toEqual({ kind: "one_in", n: 100 });
  expect(ratioOf(1_000, 999)).toEqual({ kind: "same" });
  expect(ratioOf(10, 25)).toEqual({ kind: "times", n: 2.5 });
  expect(ratioOf(10, 0)).toEqual({ kind: "none" });
});

test("books name only what there is, and always what is stored", () => {
  expect(bookTerms(NONE)).toEqual([["stored", 0]]);
  expect(bookTerms({ ...NONE, received: 12, stored: 10, duplicate: 3, gap: -1 })).toEqual([
    ["stored", 10],
    ["duplicate", 3],
    ["gap", -1],
  ]);
});

test("feeds that need somebody come first and the others stay in place", () => {
  const feed = (name: string, more: Partial<Feed> = {}): Feed => ({
    ...NONE,
    tenant: "t",
    feed: name,
    last_time_dt: null,
    records_per_s: 1,
    quiet: false,
    ...more,
  });
  const order = feedsInOrder([feed("b"), feed("a"), feed("lost", { dropped_by_kernel: 1 }), feed("gap", { gap: 2 }), feed("silent", { quiet: true })]);
  expect(order.map((one) => one.feed)).toEqual(["silent", "gap", "lost", "a", "b"]);
});

test("axes end at round numbers", () => {
  expect([0, 0.4, 1, 1.2, 20, 21, 999].map(roundUp)).toEqual([1, 0.4, 1, 1.5, 20, 30, 1_000]);
});

test("a short series stands at the end of ten minutes", () => {
  const shown = inWindow({ start_time_dt: "2026-11-26T05:09:00Z", step_ms: 30_000, records: [30, 60], matches: [1, 0] });
  expect(shown.startMs).toBe(Date.parse("2026-11-26T05:00:00Z"));
  expect(shown.perSecond).toHaveLength(20);
  expect(shown.perSecond.slice(-3)).toEqual([undefined, 1, 2]);
  expect(shown.matches.slice(-2)).toEqual([1, 0]);
});

test("a series is told by the minute", () => {
  const series = { start_time_dt: "2026-11-26T05:00:30Z", step_ms: 30_000, records: [10, 20, 30], matches: [1, 0, 2] };
  expect(byMinute(series)).toEqual([
    { ms: Date.parse("2026-11-26T05:00:00Z"), spanMs: 30_000, records: 10, matches: 1 },
    { ms: Date.parse("2026-11-26T05:01:00Z"), spanMs: 60_000, records: 50, matches: 2 },
  ]);
});

test("a feed's last record is exact since the process began, and at the latest the hour's end before", () => {
  const started = Date.parse("2026-11-26T13:55:00Z");
  expect(lastReceived("2026-11-26T13:56:30.5Z", started)).toEqual({ ms: Date.parse("2026-11-26T13:56:30.5Z"), exact: true });
  expect(lastReceived("2026-11-26T11:00:00Z", started)).toEqual({ ms: Date.parse("2026-11-26T12:00:00Z"), exact: false });
  expect(lastReceived("2026-11-26T13:00:00Z", started)).toEqual({ ms: started, exact: false });
  expect(lastReceived(null, started)).toBeNull();
});
