import { afterEach, expect, test, vi } from "vitest";
import { make } from "./client";

afterEach(() => vi.unstubAllGlobals());

test("what is sent again after silence carries the same key, and after an answer another", async () => {
  const sent: (string | undefined)[] = [];
  const answers: ("silence" | number)[] = ["silence", 503, 201, 201, 409, 201];
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    sent.push((init.headers as Record<string, string>)["idempotency-key"]);
    const answer = answers[sent.length - 1];
    if (answer === "silence") throw new TypeError("the connection broke");
    return new Response(answer === 503 ? "gone" : "{}", { status: answer ?? 500, headers: { "content-type": answer === 503 ? "text/plain" : "application/json" } });
  });
  const body = { name: "one" };
  const tries = [];
  for (const what of [body, body, body, body, body, { name: "two" }]) {
    tries.push(
      await make("/tokens", { body: what }).then(
        () => "made",
        () => "not",
      ),
    );
  }
  expect(tries).toEqual(["not", "not", "made", "made", "not", "made"]);
  expect(sent[1]).toBe(sent[0]);
  expect(sent[2]).toBe(sent[0]);
  expect(new Set(sent).size).toBe(4);
  expect(sent.every((key) => /^[0-9a-f]{32}$/.test(key ?? ""))).toBe(true);
});
