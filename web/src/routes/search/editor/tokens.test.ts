// Colours of both languages.
import { expect, test } from "vitest";
import { type Language, tokens } from "./tokens";

function parts(text: string, language: Language): string[] {
  return tokens(text, language).map((t) => `${t.kind}=${text.slice(t.from, t.to)}`);
}

test("a search", () => {
  expect(parts('user:nina -status:"not ok" OR x', "search")).toEqual(["field=user:", "operator=-", "field=status:", 'text="not ok"', "operator=OR"]);
  expect(parts("port:[1 TO 1023] file:/a\\/b/", "search")).toEqual([
    "field=port:",
    "operator=[",
    "number=1",
    "operator=TO",
    "number=1023",
    "operator=]",
    "field=file:",
    "regex=/a\\/b/",
  ]);
});

test("an open quote reaches to the end", () => {
  expect(parts('a "b c', "search")).toEqual(['text="b c']);
});

test("a pipe", () => {
  expect(parts('events | where user == "a|b" // why', "pipe")).toEqual([
    "word=events",
    "operator=|",
    "word=where",
    "field=user",
    "operator===",
    'text="a|b"',
    "comment=// why",
  ]);
  expect(parts("events | summarize n = count() by bin(time, 1h)", "pipe")).toContain("number=1h");
});
