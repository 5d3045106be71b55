// What axe finds on a page, in both themes.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const COLOUR_RULES = ["color-contrast", "link-in-text-block"];

/** All rules in the page's theme, then those about colours, the only ones a theme decides, in the light one. */
export async function violations(page: Page, name: string): Promise<string[]> {
  const inDark = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  await page.evaluate(() => (document.documentElement.dataset.theme = "light"));
  await page.waitForTimeout(100);
  const inLight = await new AxeBuilder({ page }).withRules(COLOUR_RULES).analyze();
  await page.evaluate(() => (document.documentElement.dataset.theme = "dark"));
  return [...inDark.violations, ...inLight.violations].flatMap((rule) =>
    rule.nodes.map((node) => `${name}: ${rule.id}: ${node.target.join(" ")}: ${node.failureSummary?.split("\n").at(1)?.trim() ?? rule.help}`),
  );
}
