// What waiting there is: the first page's size, its largest paint, and what keys and clicks take.
// Times are printed and not asserted: machines differ, and are busy.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { DIST } from "./support/settings.ts";
import { SCANNER } from "./support/story.ts";
import { drawn, expect, type Page, rows, test } from "./support/test.ts";

/** Where a row shows its time, which is no control. */
const AT_TIME = { x: 30, y: 10 };
const FIRST_PAGE_BYTES_MAX = 350 * 1024;

interface Entry extends PerformanceEntry {
  duration: number;
  interactionId?: number;
}

declare global {
  interface Window {
    measured: { lcp: number; events: { name: string; ms: number }[] };
  }
}

test.beforeEach(async ({ page }) => {
  await page.addInitScript(() => {
    window.measured = { lcp: 0, events: [] };
    new PerformanceObserver((list) => (window.measured.lcp = list.getEntries().at(-1)?.startTime ?? 0)).observe({ type: "largest-contentful-paint", buffered: true });
    const options = { type: "event", buffered: true, durationThreshold: 16 } as PerformanceObserverInit;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as Entry[]) {
        if (entry.interactionId) window.measured.events.push({ name: entry.name, ms: entry.duration });
      }
    }).observe(options);
  });
});

test("pages paint and answer quickly", async ({ page }) => {
  test.setTimeout(60_000);
  const said = [`load ${os.loadavg()[0]?.toFixed(1)} on ${os.availableParallelism()} cores`];
  for (const at of ["/", "/incidents", `/search?q=${SCANNER}`, "/detections", "/entities"]) {
    await page.goto(at);
    await drawn(page);
    await page.waitForTimeout(400);
    const lcp = await page.evaluate(() => window.measured.lcp);
    said.push(`LCP ${at} ${Math.round(lcp)} ms`);
    expect(lcp, `LCP of ${at}`).toBeGreaterThan(0);
  }
  await page.goto("/");
  await drawn(page);
  for (const [name, act] of interactions) {
    await page.evaluate(() => void (window.measured.events = []));
    await act(page);
    await page.waitForTimeout(250);
    const slowest = Math.max(0, ...(await page.evaluate(() => window.measured.events.map((event) => event.ms))));
    said.push(`${name} ${slowest === 0 ? "under 16" : slowest} ms`);
  }
  console.log(said.map((line) => `    ${line}`).join("\n"));
});

const interactions: [string, (page: Page) => Promise<unknown>][] = [
  ["palette opens", async (page) => (await page.keyboard.press("Control+k"), page.getByRole("dialog").waitFor())],
  ["palette closes", (page) => page.keyboard.press("Escape")],
  ["g i goes to the queue", async (page) => (await page.keyboard.press("g"), await page.keyboard.press("i"), rows(page, "Incident queue").first().waitFor())],
  ["j goes to the next row", (page) => page.keyboard.press("j")],
  ["preview opens", (page) => page.keyboard.press("Space")],
  ["incident opens", async (page) => (await page.keyboard.press("Enter"), page.getByRole("region", { name: "Evidence" }).waitFor())],
  ["g s goes to the search", async (page) => (await page.keyboard.press("g"), await page.keyboard.press("s"), rows(page, "Events").first().waitFor())],
  ["event opens", async (page) => (await rows(page, "Events").nth(2).click({ position: AT_TIME }), page.getByRole("region", { name: "Event", exact: true }).waitFor())],
  ["g d goes to detections", async (page) => (await page.keyboard.press("g"), await page.keyboard.press("d"), page.getByRole("grid").waitFor())],
];

test("the first page is small", async ({ page }) => {
  const sizes = new Map<string, number>();
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (!pathname.startsWith("/api/") && response.status() === 200) {
      const size = fileSize(pathname);
      if (size !== null) sizes.set(pathname, size);
    }
  });
  await page.goto("/");
  await drawn(page);
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  console.log(`    first page ${(total / 1024).toFixed(1)} KiB in ${sizes.size} files`);
  expect(total).toBeGreaterThan(50 * 1024);
  expect(total).toBeLessThan(FIRST_PAGE_BYTES_MAX);
});

/** As sent: compressed, fonts apart. */
function fileSize(pathname: string): number | null {
  const file = path.join(DIST, pathname === "/" ? "index.html" : pathname);
  if (!fs.existsSync(file)) return null;
  const data = fs.readFileSync(file);
  return file.endsWith(".woff2") ? data.length : gzipSync(data, { level: 9 }).length;
}
