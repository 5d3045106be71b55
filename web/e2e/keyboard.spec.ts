// Everything by keyboard: palette, help, filter, and a way through each page by Tab.
import { places, SEEN_MOST } from "./support/places.ts";
import { full } from "./support/settings.ts";
import { drawn, editor, expect, rows, test } from "./support/test.ts";

test("palette, help and filter open by key and close by Escape", async ({ page }) => {
  await page.goto("/");
  await drawn(page);
  await page.keyboard.press("Control+k");
  const palette = page.getByRole("dialog", { name: "Command palette" });
  await expect(palette).toBeVisible();
  await page.keyboard.type("detec");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/(detections|search\?q=detec)$/);
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await expect(editor(page)).toBeVisible();
  await page.keyboard.press("/");
  await page.keyboard.type("x");
  await expect(editor(page)).toHaveText("x");
});

test("arrows go through the tabs of the search", async ({ page }) => {
  await page.goto("/search");
  await drawn(page);
  const tab = (name: string) => page.getByRole("tab", { name });
  await tab("Search").focus();
  await page.keyboard.press("ArrowRight");
  await expect(tab("Pipe")).toBeFocused();
  await expect(page).toHaveURL(/view=pipe/);
  await expect(page.getByRole("tabpanel", { name: "Pipe" })).toBeVisible();
  await page.keyboard.press("End");
  await expect(tab("Hunt")).toBeFocused();
  await page.keyboard.press("ArrowRight");
  await expect(tab("Search")).toBeFocused();
  await expect(page.getByRole("tablist").locator("[tabindex='0']")).toHaveCount(1);
});

test("a verdict is proposed and left by keys", async ({ page }) => {
  await page.goto("/incidents");
  await expect(rows(page, "Incident queue").first()).toBeVisible();
  await page.keyboard.press("j");
  await page.keyboard.press("1");
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  await expect(dialog.getByRole("radio", { name: /True positive/ })).toBeChecked();
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
});

test("an incident is given to a name and to nobody by keys, and the address filters by it", async ({ page }) => {
  await page.goto("/incidents?state=all");
  const queue = rows(page, "Incident queue");
  const own = queue.filter({ hasText: "nina.e2e" });
  await expect(queue.first()).toBeVisible();
  await expect(own).toHaveCount(0);
  await page.keyboard.press("j");
  await page.keyboard.press("o");
  const dialog = page.getByRole("dialog", { name: /Who works on INC-/ });
  await expect(dialog.getByRole("combobox", { name: "Owner" })).toBeFocused();
  await page.keyboard.type("none");
  await page.keyboard.press("Enter");
  await expect(dialog).toBeVisible();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("nina.e2e");
  await page.keyboard.press("Enter");
  await expect(dialog).toHaveCount(0);
  await expect(own).toHaveCount(1);
  await page.getByRole("button", { name: /^Mine/ }).click();
  await expect(page).toHaveURL(/owner=mine/);
  await expect(own).toHaveCount(0);
  await page.getByRole("button", { name: /^Nobody's/ }).click();
  await expect(page).toHaveURL(/owner=none/);
  await expect(own).toHaveCount(0);
  await page.goto("/incidents?state=all&filter=nina.e2e");
  await own.getByRole("link").first().click();
  await page.getByRole("button", { name: "Owner: nina.e2e. Change" }).click();
  await dialog.getByRole("button", { name: "Nobody", exact: true }).click();
  await dialog.getByRole("button", { name: "Leave to nobody" }).click();
  await expect(dialog).toHaveCount(0);
  const history = page.getByRole("region", { name: "Decisions" });
  await expect(history.locator("ol > li").first()).toContainText("Owner: nobody");
  await expect(history.locator("ol > li").nth(1)).toContainText("Owner: nina.e2e");
  await expect(page.getByRole("button", { name: "Owner: Nobody. Change" })).toBeVisible();
});

test("Tab goes through each page, shows where it is, and comes out again", async ({ page }) => {
  test.setTimeout(90_000);
  for (const place of await places(page.request)) {
    if (!full && !SEEN_MOST.includes(place.name)) continue;
    await page.goto(place.path);
    await drawn(page);
    const seen = new Set<string>();
    let unseen = "";
    for (let i = 0; i < 25; i += 1) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        let element = document.activeElement;
        while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
        if (!element || element === document.body) return null;
        const style = getComputedStyle(element);
        const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
        const field = element.closest("[class*=field]") ?? element.getRootNode() instanceof ShadowRoot;
        const within = Boolean(element.closest(":focus-within") && (field || style.boxShadow !== "none" || style.borderStyle !== "none"));
        return { what: element.outerHTML.slice(0, 120), shown: ring || within || element.hasAttribute("aria-activedescendant") || element.matches("[data-focus-visible]") };
      });
      if (at === null) break;
      seen.add(at.what);
      if (!at.shown) unseen ||= at.what;
    }
    expect(seen.size, `${place.name}: controls reached by Tab`).toBeGreaterThan(place.name === "nowhere" ? 0 : 4);
    expect(unseen, `${place.name}: has the focus and does not show it`).toBe("");
  }
});
