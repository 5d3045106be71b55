// Owners as they are typed, and what there is to take.
import { expect, test } from "vitest";
import { etagOf, type Held, heldOf, isOthers, isTaken, OWNER_CHARS_MAX, ownerOf } from "./held";

const held: Held = { id: "INC-1", tenant: "t", state: "new", verdict: null, owner: null, version: 3 };

test("a typed name is a name, nobody, or none that the server takes", () => {
  expect(ownerOf(" nina ")).toBe("nina");
  expect(ownerOf("  ")).toBeNull();
  expect(ownerOf("櫓".repeat(OWNER_CHARS_MAX))).toHaveLength(OWNER_CHARS_MAX);
  expect(ownerOf("x".repeat(OWNER_CHARS_MAX + 1))).toBeUndefined();
  expect(ownerOf("none")).toBeUndefined();
  expect(ownerOf("a\u0007b")).toBeUndefined();
});

test("what somebody else has is not taken over, what one has oneself need not be", () => {
  expect(isOthers(held, "nina")).toBe(false);
  expect(isOthers({ ...held, owner: "oz" }, "nina")).toBe(true);
  expect(isOthers({ ...held, owner: "nina" }, "nina")).toBe(false);
  expect(isTaken({ ...held, owner: "nina" }, "nina")).toBe(false);
  expect(isTaken({ ...held, owner: "nina", state: "in_progress" }, "nina")).toBe(true);
  expect(isTaken({ ...held, state: "in_progress" }, undefined)).toBe(false);
});

test("the version makes the ETag", () => {
  expect(etagOf(held.version)).toBe('"d3"');
  const metadata = { uid: "INC-1", tenant_uid: "t", version: "", sequence: 1 };
  const decision = { state: "new", verdict: null, owner: null, version: 3, reason: "", by: null, time_dt: null } as const;
  expect(heldOf({ metadata, decision })).toEqual(held);
});
