// Values found again in raw records.
import { expect, test } from "vitest";
import { marksOf } from "./marks";

function marked(raw: string, fields: Record<string, string>): string[] {
  return marksOf(raw, fields).map((mark) => raw.slice(mark.start, mark.end));
}

test("values are found as they are written: plain, in JSON, in XML, in another case", () => {
  expect(marked("a=10.0.0.1 b", { ip: "10.0.0.1" })).toEqual(["10.0.0.1"]);
  expect(marked('{"p":"C:\\\\a\\\\b.exe"}', { p: "C:\\a\\b.exe" })).toEqual(["C:\\\\a\\\\b.exe"]);
  expect(marked("<D>a &amp; b</D>", { d: "a & b" })).toEqual(["a &amp; b"]);
  expect(marked("PowerShell.EXE", { p: "powershell.exe" })).toEqual(["PowerShell.EXE"]);
});

test("short values are marked only where they stand alone", () => {
  expect(marked("code=3 n=13 x3", { code: "3" })).toEqual(["3"]);
  expect(marked("abc", { none: "" })).toEqual([]);
});

test("marks are in order and do not overlap", () => {
  const marks = marksOf("GET /upload.php HTTP", { url: "/upload.php", line: "GET /upload.php" });
  expect(marks).toEqual([{ start: 0, end: 15, title: "line" }]);
});

test("a value that is everywhere is marked a bounded number of times", () => {
  expect(marksOf("aaaa ".repeat(500), { a: "aaaa" })).toHaveLength(20);
});
