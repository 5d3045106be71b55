// Rows that someone is at do not move.
import { expect, test } from "vitest";
import { hold } from "./held";

interface Row {
  id: string;
  n: number;
}

const row = (id: string, n = 0): Row => ({ id, n });
const held = (before: Row[], now: Row[]) => hold(before, now, (r) => r.id);

test("contents change in place, new rows wait", () => {
  expect(held([row("a"), row("b")], [row("c"), row("b", 2), row("a", 1)])).toEqual({
    rows: [row("a", 1), row("b", 2)],
    fresh: 1,
  });
});

test("rows that are gone stay as last seen", () => {
  expect(held([row("a"), row("b")], [row("b")]).rows).toEqual([row("a"), row("b")]);
});

test("a further page is appended", () => {
  expect(held([row("a")], [row("a"), row("b"), row("c")])).toEqual({
    rows: [row("a"), row("b"), row("c")],
    fresh: 0,
  });
});

test("when all are others, all wait", () => {
  expect(held([row("a")], [row("x"), row("y")])).toEqual({ rows: [row("a")], fresh: 2 });
});
