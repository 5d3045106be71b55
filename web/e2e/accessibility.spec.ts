// axe on every page in both themes: no violation of WCAG 2.x A and AA. The short set looks at those
// that people see most.
import { violations } from "./support/axe.ts";
import { places, SEEN_MOST } from "./support/places.ts";
import { full } from "./support/settings.ts";
import { drawn, expect, rows, test } from "./support/test.ts";

test("every page holds WCAG 2.x A and AA in both themes", async ({ page, set }) => {
  test.setTimeout(180_000);
  await set({ theme: "dark", language: "en" });
  const faults: string[] = [];
  for (const place of await places(page.request)) {
    if (!full && !SEEN_MOST.includes(place.name)) continue;
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
