// axe on every page in both themes: no violation of WCAG 2.x A and AA.
import AxeBuilder from "@axe-core/playwright";
import { places } from "./support/places.ts";
import { drawn, expect, type Page, test } from "./support/test.ts";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

for (const theme of ["dark", "light"] as const) {
  test(`every page holds WCAG 2.x A and AA (${theme})`, async ({ page, set }) => {
    test.setTimeout(120_000);
    await set({ theme, language: "en" });
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
    await page.keyboard.press("j");
    await page.keyboard.press("1");
    await page.getByRole("dialog").waitFor();
    faults.push(...(await violations(page, "decision")));
    expect(faults).toEqual([]);
  });
}

test.describe("before the sign-in", () => {
  test.use({ storageState: { cookies: [], origins: [] } });
  test("the sign-in holds WCAG 2.x A and AA", async ({ page, watch }) => {
    watch.allow(/console error: .* 401 \(/);
    await page.goto("/sign-in");
    await drawn(page);
    expect(await violations(page, "sign-in")).toEqual([]);
  });
});

async function violations(page: Page, name: string): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  return found.flatMap((rule) =>
    rule.nodes.map((node) => `${name}: ${rule.id}: ${node.target.join(" ")}: ${node.failureSummary?.split("\n").at(1)?.trim() ?? rule.help}`),
  );
}
