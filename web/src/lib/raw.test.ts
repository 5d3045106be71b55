// What hostile text becomes before it is shown.
import { expect, test } from "vitest";
import { chunks, cut, hides, oneLine, pieces } from "./raw";

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

test("what hides is told, each time anew", () => {
  for (let i = 0; i < 2; i += 1) {
    expect(hides("a\tb\n 櫓")).toBe(false);
    expect(hides("ab\u200bc")).toBe(true);
  }
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

test("chunks are all of a text, end at line ends and spaces, and part no pairs and marks", () => {
  const parts = (text: string, limit: number) => chunks(text, limit).map(({ start, end }) => text.slice(start, end));
  expect(parts("", 8)).toEqual([]);
  expect(parts("12345678", 8)).toEqual(["12345678"]);
  expect(parts("123456789", 8)).toEqual(["12345678", "9"]);
  expect(parts("12345\n789", 8)).toEqual(["12345\n", "789"]);
  expect(parts("1\n345 789", 8)).toEqual(["1\n345 ", "789"]);
  expect(parts("1234567😀9", 8)).toEqual(["1234567", "😀9"]);
  expect(parts("1234567e\u0301x", 8)).toEqual(["1234567", "e\u0301x"]);
  expect(parts("\u0301".repeat(20), 8).join("")).toBe("\u0301".repeat(20));
  const long = "日本語 \n".repeat(3_000) + "x".repeat(20_000);
  expect(parts(long, 4_096).join("")).toBe(long);
  expect(Math.max(...parts(long, 4_096).map((part) => part.length))).toBeLessThanOrEqual(4_096);
});

test("a chunk says whether a line goes on in it", () => {
  expect(chunks("12345\n7890123456", 8).map((chunk) => chunk.continued)).toEqual([false, false, true]);
});
