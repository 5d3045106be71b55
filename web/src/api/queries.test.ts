import { QueryClient } from "@tanstack/react-query";
import { afterEach, expect, test, vi } from "vitest";
import { rulesQuery } from "./queries";

afterEach(() => vi.unstubAllGlobals());

test("a list that comes in pages is shown whole", async () => {
  const pages = [
    { items: ["a", "b"], next_cursor: "6162" },
    { items: ["c"], next_cursor: null },
  ];
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(url);
    return new Response(JSON.stringify(pages[asked.length - 1]), { headers: { "content-type": "application/json" } });
  });
  const found = await new QueryClient().fetchQuery(rulesQuery());
  expect(found).toEqual({ items: ["a", "b", "c"], next_cursor: null });
  expect(asked).toEqual(["/api/v1/rules?limit=10000", "/api/v1/rules?limit=10000&cursor=6162"]);
});
