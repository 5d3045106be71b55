// Everything by keyboard: palette, help, filter, and a way through each page by Tab.
import { places } from "./support/places.ts";
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

test("Tab goes through each page, shows where it is, and comes out again", async ({ page }) => {
  test.setTimeout(90_000);
  for (const place of await places(page.request)) {
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
