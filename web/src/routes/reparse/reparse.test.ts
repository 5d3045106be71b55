import { expect, test } from "vitest";
import { faultOf, isDay, lastDays, leftMs, namesOf, namesText, requestOf, shareOf } from "./reparse";

test("names go into the address and come back, each once", () => {
  expect(namesOf("squid, linux_syslog,,squid")).toEqual(["squid", "linux_syslog"]);
  expect(namesText(namesOf("a,b"))).toBe("a,b");
  expect(namesText(namesOf(undefined))).toBeUndefined();
});

test("a day is one of the calendar", () => {
  expect(["2026-11-02", "2028-02-29"].map(isDay)).toEqual([true, true]);
  expect(["2026-02-29", "2026-13-01", "2026-1-2", "02.11.2026", "2026-11-02T00:00:00Z", ""].map(isDay)).toEqual([false, false, false, false, false, false]);
});

test("bounds are open where nothing is written, and in order", () => {
  expect(faultOf({ from: "", until: "" })).toBeNull();
  expect(faultOf({ from: "2026-11-02", until: "2026-11-02" })).toBeNull();
  expect(faultOf({ from: "2026-11-03", until: "2026-11-02" })).toBe("order");
  expect(faultOf({ from: "", until: "yesterday" })).toBe("day");
  expect(requestOf({ sources: ["squid"], from: "", until: "2026-11-02" })).toEqual({ sources: ["squid"], from: null, until: "2026-11-02" });
});

test("days of receipt are those of UTC", () => {
  const late = Date.parse("2026-11-02T23:59:59Z");
  expect(lastDays(1, late)).toEqual({ from: "2026-11-02", until: "2026-11-02" });
  expect(lastDays(7, late)).toEqual({ from: "2026-10-27", until: "2026-11-02" });
});

test("share and time left follow the records", () => {
  const run = { state: "running" as const, records: 250, ms: 10_000, cost: { records: 1_000 } };
  expect(shareOf(run)).toBe(0.25);
  expect(leftMs(run)).toBe(30_000);
  expect(leftMs({ ...run, ms: 1_999 })).toBeNull();
  expect(leftMs({ ...run, records: 9 })).toBeNull();
  expect(leftMs({ ...run, state: "failed" })).toBeNull();
  expect(shareOf({ ...run, records: 1_200 })).toBe(1);
  expect(shareOf({ ...run, cost: { records: 0 } })).toBe(0);
  expect(shareOf({ ...run, state: "done", records: 0, cost: { records: 0 } })).toBe(1);
});
