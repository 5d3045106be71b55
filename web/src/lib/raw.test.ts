// What hostile text becomes before it is shown.
import { expect, test } from "vitest";
import { cut, oneLine, pieces } from "./raw";

function shown(text: string): string {
  return pieces(text)
    .map((p) => (p.escape ? `[${p.text}]` : p.text))
    .join("");
}

test("controls, terminal escapes and null bytes are visible", () => {
  expect(shown("a\x00b\x1b[31mred\r\n")).toBe("a[\\x00]b[\\x1b][31mred[\\r]\n");
  expect(shown("\x9b31m")).toBe("[\\x9b]31m");
});

test("bidirectional and zero-width characters are visible", () => {
  expect(shown("exe\u202Egpj.\u200b")).toBe("exe[U+202E]gpj.[U+200B]");
  expect(shown("\u{E0041}x")).toBe("[U+E0041]x");
});

test("lone surrogates are escaped, pairs and Japanese are not", () => {
  expect(shown("\ud83d 😀 櫓")).toBe("[U+D83D] 😀 櫓");
  expect(shown("\udc00")).toBe("[U+DC00]");
});

test("offsets are those of the whole text", () => {
  expect(pieces("ab\x00c", 10).map((p) => [p.start, p.length])).toEqual([
    [10, 2],
    [12, 1],
    [13, 1],
  ]);
});

test("cuts keep pairs whole and lines join", () => {
  expect(cut("a😀", 2)).toBe("a");
  expect(cut("abc", 3)).toBe("abc");
  expect(oneLine("a\r\n b\tc")).toBe("a ⏎ b c");
});
