// Which marks a part of a text has.
import { expect, test } from "vitest";
import { marksWithin, sameMarks } from "./marks";

const marks = [
  { start: 1, end: 3, id: "a" },
  { start: 4, end: 25, id: "b" },
  { start: 30, end: 31, id: "c" },
];

test("a mark is in every part that it reaches into", () => {
  const parts = [
    { start: 0, end: 10 },
    { start: 10, end: 20 },
    { start: 20, end: 25 },
    { start: 25, end: 30 },
    { start: 30, end: 40 },
  ];
  expect(marksWithin(marks, parts).map((inside) => inside.map((mark) => mark.id).join(""))).toEqual(["ab", "b", "b", "", "c"]);
});

test("marks are the same where places and looks are", () => {
  const copy = marks.map((mark) => ({ ...mark }));
  expect(sameMarks(marks, copy)).toBe(true);
  expect(sameMarks(marks, marks.slice(1))).toBe(false);
  for (const change of [{ start: 0 }, { end: 9 }, { className: "lit" }, { title: "user" }, { id: "z" }]) {
    expect(sameMarks(marks, [{ ...copy[0]!, ...change }, ...copy.slice(1)])).toBe(false);
  }
});
