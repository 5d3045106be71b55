// Marks on the raw record.
import { expect, test } from "vitest";
import { segments, spansAt } from "./spans";

const span = (start: number, end: number, paths: string[] = [], field = "f") => ({ field, value: "", start, end, paths });

test("spans that lie inside others cut them", () => {
  expect(segments([span(0, 10), span(3, 5)], 20)).toEqual([
    { start: 0, end: 3, spans: [0] },
    { start: 3, end: 5, spans: [1, 0] },
    { start: 5, end: 10, spans: [0] },
  ]);
});

test("what reaches beyond the record is cut, what is empty left out", () => {
  expect(segments([span(5, 99), span(2, 2)], 8)).toEqual([{ start: 5, end: 8, spans: [0] }]);
});

test("values find their spans by path, and by the source's own name", () => {
  const spans = [span(0, 1, ["user.name"]), span(2, 3, [], "LogonType")];
  expect(spansAt(spans, "user.name")).toEqual([0]);
  expect(spansAt(spans, "unmapped.LogonType")).toEqual([1]);
});
