// Lines of Sigma files.
import { expect, test } from "vitest";
import { linesOf } from "./rule-text";

const TEXT = `title: One
id: 11-aa
name: one
detection:
  a|contains: "x # y"  # why
  b:
    - C:\\Windows\\*
---
title: Two
id: 22-bb
`;

test("lines are numbered and put together again give the text", () => {
  const lines = linesOf(TEXT, "11-aa");
  expect(lines).toHaveLength(10);
  expect(lines.map((line) => line.indent + line.key + line.value + line.comment).join("\n")).toBe(TEXT.trimEnd());
});

test("keys, values and comments are told apart", () => {
  const lines = linesOf(TEXT, "11-aa");
  expect(lines[4]).toMatchObject({ indent: "  ", key: "a|contains:", value: ' "x # y"  ', comment: "# why" });
  expect(lines[6]).toMatchObject({ indent: "    - ", key: "", value: "C:\\Windows\\*" });
});

test("the lines of the rule looked at are its own", () => {
  const own = (id: string) => linesOf(TEXT, id).flatMap((line) => (line.own ? [line.number] : []));
  expect(own("22-BB")).toEqual([9, 10]);
  expect(own("one")).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(own("unknown")).toHaveLength(10);
  expect(linesOf(TEXT, "11-aa", 9).flatMap((line) => (line.own ? [line.number] : []))).toEqual([9, 10]);
  expect(linesOf(TEXT, "22-bb", 7).filter((line) => line.own)).toHaveLength(7);
});
