// Ranges of time as terms, as typed and as bounds.
import { expect, test } from "vitest";
import { around, boundMs, instant, ranged, readBound, spanLabel } from "./time-range";

test("the range becomes terms that bind every alternative", () => {
  expect(ranged("a", {})).toEqual({ query: "a", shift: 0 });
  expect(ranged("a b", { from: "-1h" })).toEqual({ query: "a b earliest:-1h", shift: 0 });
  expect(ranged("a OR b", { from: "-1h", until: "now" })).toEqual({ query: "(a OR b) earliest:-1h latest:now", shift: 1 });
  expect(ranged(" * ", { until: "-1d@d" }).query).toBe("latest:-1d@d");
});

test("bounds are read in the viewer's zone, with an offset, or counted from now", () => {
  expect(readBound("2026-11-26 5:40", "utc")).toBe("2026-11-26T05:40:00.000Z");
  expect(readBound("2026-11-26 14:03:22 +09:00", "utc")).toBe("2026-11-26T05:03:22.000Z");
  expect(readBound("2026-11-26T05:03:22.5Z", "local")).toBe("2026-11-26T05:03:22.500Z");
  expect(readBound("2026-11-26", "utc")).toBe("2026-11-26T00:00:00.000Z");
  expect(readBound("-1d@d", "utc")).toBe("-1d@d");
  expect(readBound("yesterday", "utc")).toBeNull();
  expect(readBound("2026-13-40", "utc")).toBeNull();
});

test("bounds in milliseconds, where the browser can tell", () => {
  expect(boundMs("-15m", 1_000_000)).toBe(100_000);
  expect(boundMs("now", 7)).toBe(7);
  expect(boundMs("2026-11-26T00:00:00Z", 0)).toBe(Date.UTC(2026, 10, 26));
  expect(boundMs("-1d@d", 0)).toBeNull();
  expect(boundMs(undefined, 0)).toBeNull();
});

test("a label says the day and the zone once", () => {
  const at = Date.UTC(2026, 10, 26, 5, 0, 0);
  expect(spanLabel(at, at + 60_000, "utc")).toBe("2026-11-26 05:00:00 – 05:01:00Z");
  expect(spanLabel(at, at + 86_400_000, "utc")).toBe("2026-11-26 05:00:00 – 2026-11-27 05:00:00Z");
  expect(around(at, 60_000)).toEqual({ from: "2026-11-26T04:59:00.000Z", until: "2026-11-26T05:01:00.000Z" });
});

test("a bound becomes a point in time, back to the beginning of a unit where it says so", () => {
  const now = Date.parse("2026-11-26T05:40:30.250Z");
  expect(instant("now", now)).toBe("2026-11-26T05:40:30.250Z");
  expect(instant("-1d", now)).toBe("2026-11-25T05:40:30.250Z");
  expect(instant("-1d@d", now)).toBe("2026-11-25T00:00:00.000Z");
  expect(instant("now@h", now)).toBe("2026-11-26T05:00:00.000Z");
  expect(instant("now@w", now)).toBe("2026-11-23T00:00:00.000Z");
  expect(instant("now@mon", now)).toBe("2026-11-01T00:00:00.000Z");
  expect(instant("2026-11-26T14:03:00+09:00", now)).toBe("2026-11-26T05:03:00.000Z");
  expect(instant("yesterday", now)).toBeNull();
  expect(instant("-1d@fortnight", now)).toBeNull();
  expect(instant("-99999999999d", now)).toBeNull();
});
