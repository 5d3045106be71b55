import { describe, expect, it } from "vitest";
import { parseSearch, stringifySearch } from "./address";

describe("the address", () => {
  it.each(['"failed password"', "12", "true", "null", "[1]", '{"a":1}', "a+b & c=d #e", "パスワード", "\\\"x", "100%"])("keeps %s as it is", (q) => {
    expect(parseSearch(stringifySearch({ q }))).toEqual({ q });
  });
  it("leaves out what is absent", () => {
    expect(stringifySearch({ q: undefined, from: "", tenant: null })).toBe("");
    expect(stringifySearch({ limit: 1000, wide: true })).toBe("?limit=1000&wide=true");
  });
  it("reads what a person types", () => {
    expect(parseSearch("?q=%22a b%22&tenant=x")).toEqual({ q: '"a b"', tenant: "x" });
  });
});
