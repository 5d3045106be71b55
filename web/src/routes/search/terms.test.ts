// Terms on and off.
import { expect, test } from "vitest";
import { hasTerm, toggled } from "./terms";

test("on, off, and the other way round", () => {
  expect(toggled("a", "user:nina")).toBe("a user:nina");
  expect(toggled("a user:nina b", "user:nina")).toBe("a b");
  expect(toggled("a user:nina", "user:nina", true)).toBe("a -user:nina");
  expect(toggled("-user:nina", "user:nina")).toBe("user:nina");
  expect(toggled("a OR b", "x:y")).toBe("(a OR b) x:y");
});

test("a term is not found in a longer one", () => {
  expect(hasTerm("user:nina2", "user:nina")).toBe(false);
  expect(hasTerm("-user:nina", "user:nina")).toBe(false);
  expect(hasTerm("x user:nina", "user:nina")).toBe(true);
});
