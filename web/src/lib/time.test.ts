// Times and numbers as text.
import { expect, test } from "vitest";
import { bytes, percent, rate, short, signed } from "./number";
import { spanText, timeText, toMs, utcText } from "./time";

const MS = Date.parse("2026-11-26T05:06:07.089Z");

test("times print their offset", () => {
  expect(timeText(MS, "utc")).toBe("2026-11-26 05:06:07Z");
  expect(timeText(MS, "utc", "full")).toBe("2026-11-26 05:06:07.089Z");
  expect(timeText(MS, "utc", "clock")).toBe("05:06:07Z");
  expect(utcText(MS)).toBe("2026-11-26T05:06:07.089Z");
});

test("what is no time is null", () => {
  expect(toMs("soon")).toBeNull();
  expect(toMs(null)).toBeNull();
  expect(toMs(MS)).toBe(MS);
});

test("spans and numbers are short", () => {
  expect(spanText(850)).toBe("850 ms");
  expect(spanText(200_000)).toBe("3 min 20 s");
  expect(spanText(7_500_000)).toBe("2 h 05 min");
  expect(short(12_345)).toBe("12.3k");
  expect(bytes(1536)).toBe("1.5 KiB");
  expect(rate(3.21)).toBe("3.2/s");
  expect(percent(0.9996)).toBe("99.960 %");
  expect(signed(-1.5)).toBe("−1.50");
});
