// Terms written into searches, and values read from addresses.
import { expect, test } from "vitest";
import { backPath, oneOf, text, whole } from "./params";
import { term, withTerm } from "./query-text";

test("values are quoted where needed", () => {
  expect(term("user", "nina")).toBe("user:nina");
  expect(term("file", 'C:\\a "b"')).toBe('file:"C:\\\\a \\"b\\""');
  expect(term("src_ip", "fe80::1")).toBe('src_ip:"fe80::1"');
  expect(term(undefined, "OR")).toBe('"OR"');
});

test("terms are added to queries", () => {
  expect(withTerm("*", "a:b")).toBe("a:b");
  expect(withTerm("x OR y", "a:b", true)).toBe("(x OR y) -a:b");
  expect(withTerm("x y", "a:b")).toBe("x y a:b");
});

test("only paths of the console are gone back to", () => {
  expect(backPath("/search?q=a")).toBe("/search?q=a");
  expect(backPath("//evil.example")).toBe("/");
  expect(backPath("/\\evil.example")).toBe("/");
  expect(backPath("https://evil.example")).toBe("/");
});

test("parameters are read with care", () => {
  expect(text(12)).toBe("12");
  expect(oneOf("x", ["a", "b"])).toBeUndefined();
  expect(whole("7", 1, 9)).toBe(7);
  expect(whole(1.5, 1, 9)).toBeUndefined();
});
