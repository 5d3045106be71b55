// What the entries of a history changed.
import { expect, test } from "vitest";
import type { Decision } from "@/api/types";
import { changesOf } from "./changes";

function entry(version: number, part: Partial<Decision>): Decision {
  return { state: "new", verdict: null, reason: "", by: "nina", time_dt: "2026-11-26T05:00:00Z", owner: null, version, ...part };
}

test("an entry gives, decides, or does both", () => {
  const history = [
    entry(5, { state: "in_progress", owner: null }),
    entry(4, { state: "in_progress", owner: "oz" }),
    entry(3, { state: "in_progress", owner: "oz", reason: "still" }),
    entry(2, { state: "in_progress", owner: "oz" }),
    entry(1, { owner: "nina" }),
  ];
  expect(changesOf(history).map(({ decision, decided, given }) => [decision.version, decided, given])).toEqual([
    [5, false, true],
    // Deciding the same again, without a word, is a decision all the same.
    [4, true, false],
    [3, true, false],
    [2, true, true],
    [1, false, true],
  ]);
  expect(changesOf([])).toEqual([]);
});
