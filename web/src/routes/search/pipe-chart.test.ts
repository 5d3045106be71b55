// Which answers are drawn, and how.
import { expect, test } from "vitest";
import { chartOf, columnKind, columnNames } from "./pipe-chart";

const at = (hour: number) => `2026-11-26T${String(hour).padStart(2, "0")}:00:00.000000Z`;

test("numbers by time, with and without a category", () => {
  const plain = chartOf([{ time: at(1), n: 2 }, { time: at(2), n: 3 }]);
  expect(plain).toMatchObject({ kind: "time", series: [{ name: "n", total: 5 }] });
  const split = chartOf([1, 2].flatMap((h) => ["a", "b", "c", "d", "e", "f"].map((user, i) => ({ time: at(h), user, n: i }))));
  expect(split?.kind === "time" && split.series.map((s) => [s.name, s.total])).toEqual([["f", 10], ["e", 8], ["d", 6], ["c", 4], ["", 2]]);
});

test("numbers of one category, the greatest first", () => {
  const rows = Array.from({ length: 15 }, (_, i) => ({ src_ip: `10.0.0.${i}`, count_: i }));
  expect(chartOf(rows)).toMatchObject({ kind: "category", more: 3, bars: { length: 12, 0: { name: "10.0.0.14", value: 14 } } });
  expect(chartOf([{ port: 22, n: 1 }, { port: 25, n: 4 }])).toMatchObject({ category: "port", number: "n" });
});

test("other answers are tables", () => {
  expect(chartOf([{ a: "x", b: "y" }, { a: "z", b: "w" }])).toBeNull();
  expect(chartOf([{ n: 1 }])).toBeNull();
});

test("columns and what they hold", () => {
  const rows = [{ a: 1, b: null }, { a: 2, c: at(1), b: ["x"] }];
  expect(columnNames(rows)).toEqual(["a", "b", "c"]);
  expect(["a", "b", "c"].map((name) => columnKind(rows, name))).toEqual(["number", "other", "time"]);
});
