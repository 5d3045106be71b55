// From prior to posterior, with what would flip the verdict.
import { expect, test } from "vitest";
import type { Contribution, Standing } from "@/api/types";
import { reasonParts, ROWS_MAX, verdictOf, waterfallOf } from "./waterfall";

function standing(added: number[], flow = 0): Standing {
  const prior = -5.7;
  const direct = added.reduce((sum, one) => sum + one, 0);
  const posterior = prior + direct + flow;
  const waterfall = added.map((one, i): Contribution => ({ finding: `f${i}`, title: `t${i}`, level: "high", llr: one, added: one, reason: "" }));
  return { entity: { kind: "host", value: "h" }, as_of: 0, prior, direct, flow, posterior, probability: 0, verdict: verdictOf(posterior), waterfall };
}

test("verdicts change at 0.2 and 0.8", () => {
  expect([-1.39, -1.38, 1.38, 1.39].map(verdictOf)).toEqual(["white", "grey", "grey", "black"]);
});

test("steps join prior and posterior", () => {
  const { rows } = waterfallOf(standing([5, 3], 1));
  expect(rows.map((row) => row.kind)).toEqual(["prior", "finding", "finding", "flow", "posterior"]);
  expect(rows[1]).toMatchObject({ from: -5.7, to: expect.closeTo(-0.7) });
  expect(rows[3]?.to).toBeCloseTo(3.3);
  expect(rows[4]).toMatchObject({ from: 0, to: expect.closeTo(3.3) });
});

test("only what the verdict hangs on would flip it", () => {
  const { rows } = waterfallOf(standing([5, 3], 1));
  expect(rows.map((row) => row.without)).toEqual([null, "white", "grey", null, null]);
  expect(waterfallOf(standing([0.1, 9])).rows.map((row) => row.without)).toEqual([null, null, "white", null]);
});

test("more than twelve fold, and open again", () => {
  const many = standing(Array.from({ length: 20 }, () => 0.5));
  const folded = waterfallOf(many).rows;
  expect(folded).toHaveLength(ROWS_MAX + 2);
  expect(folded.at(-2)).toMatchObject({ kind: "folded", count: 9, added: 4.5 });
  expect(folded.at(-2)?.to).toBeCloseTo(many.posterior);
  expect(waterfallOf(many, true).rows).toHaveLength(22);
});

test("the axis holds thresholds and every end", () => {
  const { least, most } = waterfallOf(standing([20]));
  expect(least).toBeLessThan(-5.7);
  expect(most).toBeGreaterThan(14.3);
});

test("the judge's reasons are read, others are not", () => {
  const reason = "high temporal: weight 3.90 x part 1.00 x own 0.50 / 1 alike; repeat 1.00, age 0.98";
  expect(reasonParts(reason)).toEqual({ level: "high", kind: "temporal", weight: "3.90", part: "1.00", own: "0.50", alike: "1", repeat: "1.00", age: "0.98" });
  expect(reasonParts("medium event_count: weight 1.50 x part 1.00 x own 1.00 / 1 alike")).toMatchObject({ kind: "event_count", repeat: undefined });
  expect(reasonParts("succeeded high finding; repeat 1.00, age 0.98")).toBeNull();
});
