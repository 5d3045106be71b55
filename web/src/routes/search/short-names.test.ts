// Short names as completion explains them.
import { expect, test } from "vitest";
import type { FieldInfo } from "@/api/types";
import { shortNames } from "./short-names";

const field = (name: string, ...short: string[]): FieldInfo => ({ name, path: `x.${name}`, type: "text", doc: `The ${name}`, short });

test("a short name of one field has its text, one of several has their names", () => {
  const all = shortNames([field("raw_data", "raw"), ...["a", "b", "c"].map((name) => field(name, "few", "many")), field("d", "many"), field("e")]);
  expect([...all]).toEqual([
    ["raw", "The raw_data"],
    ["few", "a, b, c"],
    ["many", "a, b, c +1"],
  ]);
});
