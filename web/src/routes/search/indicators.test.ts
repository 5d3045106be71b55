// Pasted indicators, defanged ones too.
import { expect, test } from "vitest";
import { entries, isDocument, refang } from "./indicators";

const kinds = (text: string, wide = false) => entries(text, wide).map((e) => e.kind ?? `!${e.refused}`);

test("defanged marks stand for what they hide", () => {
  expect(refang("hxxps[://]evil[.]example/x")).toBe("https://evil.example/x");
  expect(refang("a(at)b[dot]example")).toBe("a@b.example");
});

test("kinds are told by form", () => {
  expect(kinds("203.0.113.9\n203.0.113.0/24\n2001:db8::1\nevil[.]example\nhxxp://evil.example/x\na@b.example")).toEqual([
    "ipv4",
    "network",
    "ipv6",
    "domain",
    "url",
    "email",
  ]);
  expect(kinds("44d88612fea8a8f36de82e1278abb02f")).toEqual(["md5"]);
  expect(kinds("203.0.113.9:443, evil.example:8080 # both")).toEqual(["ipv4", "domain"]);
});

test("what tells nothing is refused with its reason", () => {
  expect(kinds("10.1.2.3\n0.0.0.0/4\nabcdefabcdefabcdef\nd41d8cd98f00b204e9800998ecf8427e\nhello\nevil.exam...")).toEqual([
    "!private_or_reserved",
    "!too_wide",
    "!hash_length",
    "!empty_file_hash",
    "!unrecognised",
    "!cut_off",
  ]);
  expect(kinds("10.1.2.3 d41d8cd98f00b204e9800998ecf8427e", true)).toEqual(["ipv4", "md5"]);
});

test("documents are left to the server", () => {
  expect(isDocument('{"type":"bundle"}')).toBe(true);
  expect(isDocument("type,value\nip,203.0.113.9")).toBe(true);
  expect(isDocument("203.0.113.9, evil.example")).toBe(false);
});

test("lines are counted", () => {
  expect(entries("\n# note\nevil.example")).toEqual([{ line: 3, text: "evil.example", kind: "domain" }]);
});
