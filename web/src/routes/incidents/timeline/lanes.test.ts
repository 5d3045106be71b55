// Lanes, spans, ticks and bins of a timeline.
import { expect, test } from "vitest";
import type { EntityName, TimelineStep } from "@/api/types";
import { binsOf, LANES_MAX, lanesOf, spanIn, spanText, ticksOf, touches, wholeSpan } from "./lanes";

const START = Date.parse("2026-11-26T05:00:00Z");

function step(minute: number, entities: string[], part: Partial<TimelineStep> = {}): TimelineStep {
  const time = new Date(START + minute * 60_000).toISOString();
  return {
    time: 0,
    time_dt: time,
    last_time_dt: time,
    finding: `f${minute}`,
    rule: "r",
    title: "t",
    level: "medium",
    count: 1,
    tactics: [],
    outcome: "unknown",
    entities: entities.map((value): EntityName => ({ type: "host", value })),
    ...part,
  };
}

test("lanes come in order of appearance", () => {
  const lanes = lanesOf([step(0, ["b"]), step(1, ["a", "b"])], []);
  expect(lanes.map((lane) => [lane.key, lane.marks.length])).toEqual([
    ["host:b", 2],
    ["host:a", 1],
  ]);
});

test("beyond eight, principals keep a lane and the others share the last, each step once", () => {
  const many = Array.from({ length: 20 }, (_, i) => `h${i}`);
  const principal = { type: "host", value: "h19", role: "victim_host", verdict: "black", probability: 1, evidence: 9 } as const;
  const lanes = lanesOf([step(0, many), step(1, many)], [principal]);
  expect(lanes).toHaveLength(LANES_MAX);
  expect(lanes.some((lane) => lane.key === "host:h19")).toBe(true);
  expect(lanes.at(-1)).toMatchObject({ entity: null, entities: 13 });
  expect(lanes.at(-1)?.marks).toHaveLength(2);
});

test("beyond eight, what comes up once shares the last lane", () => {
  const swept = Array.from({ length: 12 }, (_, i) => `h${i}`);
  expect(lanesOf([step(0, ["a"]), step(1, ["a", ...swept])], []).map((lane) => [lane.key, lane.entities])).toEqual([
    ["host:a", 1],
    ["others", 12],
  ]);
});

test("a span is never empty, and a step that ends before it begins is a moment", () => {
  const span = wholeSpan([step(0, ["a"], { last_time_dt: "2026-11-26T04:00:00Z" })]);
  expect(span.untilMs - span.fromMs).toBe(30_000);
});

test("spans survive the address", () => {
  expect(spanIn(spanText({ fromMs: 5_000, untilMs: 90_000 }))).toEqual({ fromMs: 5_000, untilMs: 90_000 });
  expect(spanIn("9-1")).toEqual({ fromMs: 9, untilMs: 1_009 });
  expect(spanIn("evil")).toBeNull();
  expect(touches(step(0, []), { fromMs: START, untilMs: START + 1 })).toBe(true);
  expect(touches(step(1, []), { fromMs: START, untilMs: START + 1 })).toBe(false);
});

test("ticks are round in the viewer's zone", () => {
  const { stepMs, atMs } = ticksOf({ fromMs: START, untilMs: START + 3_600_000 }, 5, 9 * 3_600_000);
  expect(stepMs).toBe(15 * 60_000);
  expect(atMs.map((ms) => (ms - START) / 60_000)).toEqual([0, 15, 30, 45, 60]);
  expect(ticksOf({ fromMs: START, untilMs: START + 400 * 86_400_000 }, 5, 0).atMs.length).toBeLessThanOrEqual(6);
});

test("bins count marks and keep the worst level", () => {
  const lane = lanesOf([step(0, ["a"]), step(1, ["a"], { level: "critical" }), step(9, ["a"])], [])[0];
  const bins = binsOf(lane?.marks ?? [], { fromMs: START, untilMs: START + 10 * 60_000 }, 2);
  expect(bins).toEqual([
    { count: 2, level: "critical" },
    { count: 1, level: "medium" },
  ]);
});
