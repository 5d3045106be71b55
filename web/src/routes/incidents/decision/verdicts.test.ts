// Digits, and the states verdicts propose.
import { expect, test } from "vitest";
import { nextStep } from "../next";
import { needsVerdict, proposedState, verdictOfKey } from "./verdicts";

test("digits name verdicts", () => {
  expect(verdictOfKey("1")).toBe("true_positive");
  expect(verdictOfKey("8")).toBe("disregard");
  expect(verdictOfKey("9")).toBeUndefined();
  expect(verdictOfKey("0")).toBeUndefined();
  expect(verdictOfKey("12")).toBeUndefined();
});

test("an attack is work that begins, what cannot be told waits, the rest is over", () => {
  expect(proposedState("true_positive", "new")).toBe("in_progress");
  expect(proposedState("true_positive", "resolved")).toBe("resolved");
  expect(proposedState("insufficient_data", "new")).toBe("on_hold");
  expect(proposedState("benign", "in_progress")).toBe("closed");
  expect(needsVerdict("closed")).toBe(true);
  expect(needsVerdict("on_hold")).toBe(false);
});

test("the next step follows the work before the attack", () => {
  const base = { state: "new", verdict: null, outcome: "succeeded", merged: false } as const;
  expect(nextStep(base)).toBe("contain");
  expect(nextStep({ ...base, state: "in_progress" })).toBe("contain_now");
  expect(nextStep({ ...base, state: "in_progress", outcome: "blocked" })).toBe("decide");
  expect(nextStep({ ...base, outcome: "blocked" })).toBe("confirm_block");
  expect(nextStep({ ...base, verdict: "true_positive", state: "in_progress" })).toBe("eradicate");
  expect(nextStep({ ...base, merged: true, state: "closed" })).toBe("merged");
  expect(nextStep({ ...base, state: "closed" })).toBe("nothing");
});
