import { expect, test } from "vitest";
import type { HuntedRule, RuleHunt, RuleHuntCost } from "@/api/types";
import { canRun, faultOf, filesToRead, idsOf, idsText, inOrder, recordBar, requestOf, shareOf } from "./rule-hunt";

const NOW = Date.parse("2026-11-26T05:40:00Z");
const COST: RuleHuntCost = { rules: [], sources: [], files: 40, files_passed_over: 30, records: 9, bytes: 9 };
const hunt = (part: Partial<RuleHunt>) => ({ state: "running" as const, cost: COST, files_done: 30, recorded: null, findings_kept: 0, ...part });

test("ids in the address keep their commas and come back once each", () => {
  expect(idsText([])).toBeUndefined();
  const ids = ["5b0c7a54-6f5e", "odd, id", "100%"];
  expect(idsOf(idsText(ids))).toEqual(ids);
  expect(idsOf("a,a,,b")).toEqual(["a", "b"]);
  expect(idsOf("100%")).toEqual(["100%"]);
  expect(idsOf(undefined)).toEqual([]);
});

test("a request names ids or gives a text, and bounds are points in time", () => {
  expect(requestOf(["a"], "ignored", {}, NOW)).toEqual({ ids: ["a"] });
  expect(requestOf([], "title: x", { from: "-1h", until: "2026-11-26T05:00:00.000Z" }, NOW)).toEqual({
    rules: "title: x",
    from: "2026-11-26T04:40:00.000Z",
    until: "2026-11-26T05:00:00.000Z",
  });
  expect(requestOf([], "title: x", { from: "last week" }, NOW)).toBeNull();
});

test("a fault has its line, its words and its code", () => {
  const said = (detail: string) => faultOf({ code: "rule_invalid", detail });
  expect(said("line 7: there is no selection `selectoin` (rule_condition)")).toEqual({ line: 7, message: "there is no selection `selectoin`", code: "rule_condition" });
  expect(said("line 3: a value (in brackets) is odd (value_odd)")).toEqual({ line: 3, message: "a value (in brackets) is odd", code: "value_odd" });
  expect(said("line 2: two\nlines (x)")).toEqual({ line: 2, message: "two\nlines", code: "x" });
  expect(said("something else")).toEqual({ line: undefined, message: "something else", code: "rule_invalid" });
  expect(faultOf({ code: "rules_missing", detail: "line 7: x (y)" })).toBeNull();
});

test("progress counts the files passed over as done", () => {
  expect(shareOf(hunt({}))).toBe(0.75);
  expect(shareOf(hunt({ files_done: 0, cost: { ...COST, files: 0 } }))).toBe(0);
  expect(shareOf(hunt({ state: "done", cost: { ...COST, files: 0 } }))).toBe(1);
  expect(shareOf(hunt({ state: "cancelled", files_done: 35 }))).toBe(0.875);
  expect(filesToRead(COST)).toBe(10);
  expect(filesToRead({ files: 2, files_passed_over: 3 })).toBe(0);
});

test("correlations are named before their parts", () => {
  const rule = (id: string, kind: string): HuntedRule => ({ id, kind, title: id, level: "low", version: "" });
  const rules = [rule("f", "filter"), rule("a", "rule"), rule("c", "event_count"), rule("b", "rule")];
  expect(inOrder(rules).map((one) => one.id)).toEqual(["c", "a", "b", "f"]);
});

test("recording waits for the end, happens once, and needs something to record", () => {
  expect(recordBar(hunt({}))).toBe("running");
  expect(recordBar(hunt({ state: "failed", findings_kept: 2 }))).toBe("running");
  expect(recordBar(hunt({ state: "done" }))).toBe("nothing");
  expect(recordBar(hunt({ state: "full", findings_kept: 2 }))).toBeNull();
  expect(recordBar(hunt({ state: "done", findings_kept: 2, recorded: 0 }))).toBe("recorded");
});

test("faulty rules, filters and lists of indicators cannot be run", () => {
  expect(canRun({ id: "a", kind: "event_count", error: null })).toBe(true);
  expect(canRun({ id: "", kind: "rule", error: null })).toBe(false);
  expect(canRun({ id: "a", kind: "rule", error: {} })).toBe(false);
  expect(canRun({ id: "a", kind: "filter", error: null })).toBe(false);
  expect(canRun({ id: "a", kind: "indicator", error: null })).toBe(false);
});
