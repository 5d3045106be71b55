// The documentation's pictures, made of the running demo (YAGURA_SCREENSHOTS=1).
import fs from "node:fs";
import path from "node:path";
import { firstEvent } from "./support/places.ts";
import { smaller } from "./support/png.ts";
import { IMAGES } from "./support/settings.ts";
import { overview, SCANNER } from "./support/story.ts";
import { drawn, expect, type Page, rows, test } from "./support/test.ts";

const BYTES_MAX = 250_000;
const LOOKS = [
  { language: "en", theme: "light" },
  { language: "ja", theme: "dark" },
] as const;

for (const { language, theme } of LOOKS) {
  test.describe(`${language} ${theme}`, () => {
    test.use({ locale: language === "ja" ? "ja-JP" : "en-US", colorScheme: theme, viewport: { width: 1440, height: 900 }, deviceScaleFactor: 1 });
    test("pictures", async ({ page, set }) => {
      test.setTimeout(60_000);
      await set({ language, theme });
      const { attention } = await overview(page.request);
      const event = await firstEvent(page.request, SCANNER);
      const shots = {
        overview: "/",
        incident: `/incidents/${attention[0]?.id ?? "INC-2026-0001"}`,
        search: `/search?q=${SCANNER}&event=${event}`,
        detections: "/detections",
      };
      for (const [name, at] of Object.entries(shots)) {
        await page.goto(at);
        await drawn(page);
        await page.mouse.move(0, 0);
        await page.waitForTimeout(800);
        if (name === "detections" || name === "search") await expect(rows(page, /./).first()).toBeVisible();
        await save(page, `${name}-${language}-${theme}.png`);
      }
    });
  });
}

async function save(page: Page, name: string): Promise<void> {
  fs.mkdirSync(IMAGES, { recursive: true });
  const file = path.join(IMAGES, name);
  const picture = smaller(await page.screenshot({ animations: "disabled", caret: "hide" }));
  fs.writeFileSync(file, picture);
  expect.soft(picture.length, `${name} in bytes`).toBeLessThan(BYTES_MAX);
}
