// Lines of a hunt by indicator.
import { expect, test } from "vitest";
import type { HuntLine } from "@/api/types";
import { groups, rowsOf } from "./hunt-rows";

const line = (part: Partial<HuntLine>): HuntLine => ({
  indicator: "evil.example",
  type: "domain",
  list: "pasted",
  name: "",
  seen: "evil.example",
  as: "domain",
  tenant: "a",
  source: "bind",
  events: 1,
  first: "2026-11-20T00:00:00Z",
  last: "2026-11-21T00:00:00Z",
  search: 'domain:"evil.example"',
  ...part,
});

test("one group an indicator, with sums and ends, the last seen first", () => {
  const all = groups([
    line({}),
    line({ source: "squid", events: 4, first: "2026-11-19T00:00:00Z", seen: "x.evil.example", search: 'domain:"x.evil.example"' }),
    line({ indicator: "203.0.113.9", type: "ipv4", last: "2026-11-25T00:00:00Z" }),
  ]);
  expect(all.map((g) => [g.indicator, g.events, g.first])).toEqual([
    ["203.0.113.9", 1, "2026-11-20T00:00:00Z"],
    ["evil.example", 5, "2026-11-19T00:00:00Z"],
  ]);
  expect(all[1]?.search).toBe('domain:"evil.example" OR domain:"x.evil.example"');
});

test("lines show below the groups that are open", () => {
  const all = groups([line({}), line({ source: "squid" })]);
  expect(rowsOf(all, new Set()).length).toBe(1);
  expect(rowsOf(all, new Set(["domain/evil.example"])).map((row) => row.kind)).toEqual(["group", "line", "line"]);
});
