// The case as plain text.
import { expect, test } from "vitest";
import { caseText, techniquesOf } from "./caseText";

test("facts stand in columns and empty parts are left out", () => {
  const text = caseText(
    "[INC-1] Title",
    [
      ["State", "new"],
      ["担当", "nina"],
      ["Owner", ""],
    ],
    [
      { title: "Notes", lines: [] },
      { title: "Summary", lines: ["a", "b"] },
    ],
  );
  expect(text).toBe("[INC-1] Title\nState  new\n担当   nina\n\nSummary\n  a\n  b\n");
});

test("techniques are named once, the sub-technique where there is one", () => {
  const attacks = [{ technique: { uid: "T1059" }, sub_technique: { uid: "T1059.001" } }, { technique: { uid: "T1190" } }, { tactic: { uid: "TA0001", name: "x" } }];
  expect(techniquesOf({ attacks: [...attacks, ...attacks] })).toEqual(["T1059.001", "T1190"]);
});
