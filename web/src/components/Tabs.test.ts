// Keys of tabs.
import { expect, test } from "vitest";
import { tabOfKey } from "./Tabs";

test("arrows go round, Home and End to the ends, other keys nowhere", () => {
  expect(["ArrowRight", "ArrowLeft", "Home", "End", "Enter"].map((key) => tabOfKey(key, 2, 3))).toEqual([0, 1, 0, 2, undefined]);
  expect(tabOfKey("ArrowLeft", 0, 3)).toBe(2);
});
