// The judge's summaries taken apart.
import { expect, test } from "vitest";
import { storyOf } from "./story";

const EN =
  'Between 2026-11-26 22:27 and 2026-11-26 23:47 UTC, 2 linked findings (8 records kept as evidence) tell of one attack. It came from 203.0.113.66. 2026-11-26 22:27: the target was probed from outside ("Scan of v1.2. Burst"). 2026-11-26 22:36: data was gathered ("Copy"). The records show that at least one step succeeded.';
const JA =
  "2026-11-26 22:27から2026-11-26 23:47（UTC）にかけて、関連する検知 2 件（証拠として保存した記録 8 件）が一つの攻撃を示しています。2026-11-26 22:27：外部からの探査（「Scan」）。少なくとも一つの段階が成功したことを記録が示しています。";

test("steps keep their times, and what is around them stays", () => {
  const story = storyOf(EN);
  expect(story.lead).toMatch(/^Between .* It came from 203\.0\.113\.66\.$/);
  expect(story.steps).toEqual([
    { timeMs: Date.parse("2026-11-26T22:27:00Z"), text: 'the target was probed from outside ("Scan of v1.2. Burst")' },
    { timeMs: Date.parse("2026-11-26T22:36:00Z"), text: 'data was gathered ("Copy")' },
  ]);
  expect(story.end).toBe("The records show that at least one step succeeded.");
});

test("Japanese summaries have the same parts", () => {
  const story = storyOf(JA);
  expect(story.lead).toMatch(/示しています。$/);
  expect(story.steps.map((step) => step.text)).toEqual(["外部からの探査（「Scan」）"]);
  expect(story.end).toMatch(/^少なくとも/);
});

test("a summary worded otherwise is all lead", () => {
  expect(storyOf("Something happened.")).toEqual({ lead: "Something happened.", steps: [], end: "" });
  const odd = "At 2026-11-26 22:27: odd";
  expect(storyOf(odd)).toEqual({ lead: odd, steps: [], end: "" });
});
