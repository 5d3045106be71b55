// Things that wait for each other.
import { expect, test } from "vitest";
import { inTurn } from "./in-turn";

test("no more than so many at once, all of them in the end", async () => {
  const turn = inTurn(2);
  let running = 0;
  let most = 0;
  const work = async (n: number) => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
    return n;
  };
  const signal = new AbortController().signal;
  expect(await Promise.all([1, 2, 3, 4, 5].map((n) => turn(signal, () => work(n))))).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

test("what failed or was aborted makes room", async () => {
  const turn = inTurn(1);
  const gone = new AbortController();
  gone.abort();
  await expect(turn(gone.signal, () => Promise.resolve(1))).rejects.toThrow();
  await expect(turn(new AbortController().signal, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await turn(new AbortController().signal, () => Promise.resolve(2))).toBe(2);
});
