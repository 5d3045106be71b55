// Every page in both languages, both themes and two widths: no errors, no sideways scrolling, nothing cut off.
import { places } from "../support/places.ts";
import { drawn, expect, type Page, test } from "../support/test.ts";

const SIZES = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
];

for (const language of ["en", "ja"] as const) {
  for (const theme of ["dark", "light"] as const) {
    test.describe(`${language} ${theme}`, () => {
      test.use({ locale: language === "ja" ? "ja-JP" : "en-US", colorScheme: theme });
      test("no page overflows, cuts controls off or lacks words", async ({ page, set }) => {
        await set({ language, theme });
        const faults: string[] = [];
        for (const place of await places(page.request)) {
          await page.setViewportSize(SIZES[0] as { width: number; height: number });
          await page.goto(place.path);
          await drawn(page);
          await expect(page.locator("html")).toHaveAttribute("lang", language);
          for (const size of SIZES) {
            await page.setViewportSize(size);
            await page.waitForTimeout(120);
            faults.push(...(await misfits(page)).map((fault) => `${place.name} ${size.width}: ${fault}`));
          }
        }
        expect(faults).toEqual([]);
      });
    });
  }
}

/** What sticks out of the window or of a box that hides it, and messages that have no words. */
function misfits(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) found.push(`the page scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}`);
    const main = document.querySelector("main");
    if (main && main.scrollWidth > main.clientWidth + 1) found.push(`the content scrolls sideways: ${main.scrollWidth} > ${main.clientWidth}`);
    const said = document.body.innerText;
    for (const match of said.matchAll(/\{\{\w+\}\}|\bundefined\b|\[object Object\]|\bNaN\b/g)) found.push(`shows ${match[0]}`);
    for (const control of document.querySelectorAll("button, a[href], input, textarea, select, [role=tab]")) {
      if (control.closest(".visually-hidden, [aria-hidden=true], [class*=skip]") || control.matches("[class*=skip]")) continue;
      const box = control.getBoundingClientRect();
      if (box.width === 0 || box.height === 0 || getComputedStyle(control).visibility === "hidden") continue;
      for (let around = control.parentElement; around; around = around.parentElement) {
        const { overflowX } = getComputedStyle(around);
        if (overflowX === "auto" || overflowX === "scroll") break;
        if (overflowX === "visible" && around !== document.body) continue;
        const edge = around === document.body ? new DOMRect(0, 0, innerWidth, innerHeight) : around.getBoundingClientRect();
        const isText = control.matches("a, [aria-haspopup=menu]") && getComputedStyle(around).textOverflow === "ellipsis";
        if (!isText && (box.right > edge.right + 1 || box.left < edge.left - 1)) {
          found.push(`cut off: ${control.outerHTML.slice(0, 140)}`);
          break;
        }
      }
    }
    return found;
  });
}
