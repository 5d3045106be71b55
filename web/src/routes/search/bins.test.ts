// Bins and axes.
import { expect, test } from "vitest";
import { allBins, axisMarks, binAt, roundUp } from "./bins";

test("gaps are bins without events", () => {
  const bins = allBins({
    from_time_dt: "2026-11-26T00:00:00Z",
    until_time_dt: "2026-11-26T00:04:00Z",
    step_ms: 60_000,
    total: 3,
    bins: [
      { time_dt: "2026-11-26T00:00:00Z", count: 1 },
      { time_dt: "2026-11-26T00:03:00Z", count: 2 },
    ],
  });
  expect(bins.map((bin) => bin.count)).toEqual([1, 0, 0, 2]);
});

test("no events, no bins", () => {
  expect(allBins({ from_time_dt: "", until_time_dt: "", step_ms: 0, total: 0, bins: [] })).toEqual([]);
});

test("marks are round in the viewer's zone", () => {
  const day = 86_400_000;
  expect(axisMarks(1_000, 61_000, 6, 0).map((m) => m.ms)).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
  const tokyo = 9 * 3_600_000;
  expect(axisMarks(0, 3 * day, 4, tokyo).map((m) => (m.ms + tokyo) % day)).toEqual([0, 0, 0]);
});

test("places and tops", () => {
  expect([binAt(-1, 10), binAt(0.55, 10), binAt(2, 10)]).toEqual([0, 5, 9]);
  expect([roundUp(0), roundUp(7), roundUp(771), roundUp(1_001)]).toEqual([1, 8, 800, 1_500]);
});
