// What is completed where.
import { expect, test } from "vitest";
import { contextAt } from "./context";

const at = (text: string) => contextAt(text, text.length);

test("names of fields", () => {
  expect(at("us")).toEqual({ kind: "field", from: 0, typed: "us" });
  expect(at("a -src_endpoint.i")).toEqual({ kind: "field", from: 3, typed: "src_endpoint.i" });
  expect(at("10.0")).toBeNull();
});

test("values of fields, quoted or not", () => {
  expect(at("user:")).toEqual({ kind: "value", from: 5, field: "user", typed: "" });
  expect(at('x source:"windows s')).toEqual({ kind: "value", from: 9, field: "source", typed: "windows s" });
  expect(at("user:(nina OR ro")).toEqual({ kind: "value", from: 14, field: "user", typed: "ro" });
});

test("nothing inside phrases and comparisons", () => {
  expect(at('"failed pass')).toBeNull();
  expect(at("code:>=50")).toBeNull();
});
