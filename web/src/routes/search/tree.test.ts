// Events as trees.
import { expect, test } from "vitest";
import { openLines, treeLines } from "./tree";

test("groups, lists and values, in order, without the record", () => {
  const lines = treeLines({ time: 1, user: { name: "nina" }, ids: ["a", "b"], raw_data: "x" });
  expect(lines.map((l) => [l.depth, l.path, l.value ?? `(${l.size})`])).toEqual([
    [0, "time", 1],
    [0, "user", "(1)"],
    [1, "user.name", "nina"],
    [0, "ids", "(2)"],
    [1, "ids", "a"],
    [1, "ids", "b"],
  ]);
  expect(new Set(lines.map((l) => l.id)).size).toBe(lines.length);
});

test("the source's own fields are opened where they are JSON", () => {
  expect(treeLines({ unmapped: '{"LogonType":3}' })[1]).toMatchObject({ path: "unmapped.LogonType", value: 3 });
  expect(treeLines({ unmapped: "no json" })).toMatchObject([{ path: "unmapped", value: "no json" }]);
});

test("closed groups hide all that is below", () => {
  const lines = treeLines({ a: { b: { c: 1 }, d: 2 }, e: 3 });
  expect(openLines(lines, new Set(["a"])).map((l) => l.path)).toEqual(["a", "e"]);
  expect(openLines(lines, new Set(["a.b"])).map((l) => l.path)).toEqual(["a", "a.b", "a.d", "e"]);
});
