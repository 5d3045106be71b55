// axe on every page in both themes: no violation of WCAG 2.x A and AA.
import AxeBuilder from "@axe-core/playwright";
import { places } from "./support/places.ts";
import { drawn, expect, type Page, rows, test } from "./support/test.ts";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const COLOUR_RULES = ["color-contrast", "link-in-text-block"];

test("every page holds WCAG 2.x A and AA in both themes", async ({ page, set }) => {
  test.setTimeout(180_000);
  await set({ theme: "dark", language: "en" });
  const faults: string[] = [];
  for (const place of await places(page.request)) {
    await page.goto(place.path);
    await drawn(page);
    faults.push(...(await violations(page, place.name)));
  }
  await page.goto("/");
  await drawn(page);
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").waitFor();
  faults.push(...(await violations(page, "palette")));
  await page.goto("/incidents");
  await drawn(page);
  await rows(page, "Incident queue").first().waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("1");
  await page.getByRole("dialog").waitFor();
  faults.push(...(await violations(page, "decision")));
  const rule = (await places(page.request)).find((place) => place.name === "detection");
  await page.goto(rule?.path ?? "/detections");
  await drawn(page);
  await page.getByRole("button", { name: "Switch off" }).click();
  await page.getByRole("dialog").waitFor();
  faults.push(...(await violations(page, "switch of a rule")));
  expect(faults).toEqual([]);
});

test.describe("before the sign-in", () => {
  test.use({ storageState: { cookies: [], origins: [] } });
  test("the sign-in holds WCAG 2.x A and AA", async ({ page, watch }) => {
    watch.allow(/console error: .* 401 \(/);
    await page.goto("/sign-in");
    await drawn(page);
    expect(await violations(page, "sign-in")).toEqual([]);
  });
});

/** All rules in the page's theme, then those about colours, the only ones a theme decides, in the light one. */
async function violations(page: Page, name: string): Promise<string[]> {
  const inDark = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  await page.evaluate(() => (document.documentElement.dataset.theme = "light"));
  await page.waitForTimeout(100);
  const inLight = await new AxeBuilder({ page }).withRules(COLOUR_RULES).analyze();
  await page.evaluate(() => (document.documentElement.dataset.theme = "dark"));
  return [...inDark.violations, ...inLight.violations].flatMap((rule) =>
    rule.nodes.map((node) => `${name}: ${rule.id}: ${node.target.join(" ")}: ${node.failureSummary?.split("\n").at(1)?.trim() ?? rule.help}`),
  );
}
