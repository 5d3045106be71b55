// Places of rows.
import { expect, test } from "vitest";
import { indexOf } from "./useIndexOf";

test("rows are found by id, the first of two, and looked through once", () => {
  let asked = 0;
  const at = indexOf(["a", "b", "a"], (row) => {
    asked += 1;
    return row;
  });
  expect(asked).toBe(0);
  expect([at("a"), at("b"), at("c"), at(undefined)]).toEqual([0, 1, -1, -1]);
  expect(asked).toBe(3);
});
