// `test` with a watched page: console errors, breaches of the policy, dialogs and requests elsewhere fail it.
import { test as base, expect, type Locator, type Page } from "@playwright/test";

export { expect, type Locator, type Page };

export interface Watch {
  faults: string[];
  /** Faults that match are expected, such as those of a server that the test kills. */
  allow: (pattern: RegExp) => void;
}

export const test = base.extend<{ watch: Watch; set: (settings: Settings) => Promise<void> }>({
  watch: [
    async ({ page, baseURL }, use) => {
      const watch = watched(page, baseURL ?? "");
      await use(watch);
      expect(watch.faults, "errors of the browser").toEqual([]);
    },
    { auto: true },
  ],
  set: async ({ page }, use) => {
    await use(async (settings) => {
      await page.addInitScript((kept) => localStorage.setItem("yagura.settings", kept), JSON.stringify(settings));
    });
  },
});

export interface Settings {
  theme?: "dark" | "light";
  language?: "en" | "ja";
}

/** Collects what must not happen on a page. */
export function watched(page: Page, origin: string): Watch {
  const faults: string[] = [];
  const allowed: RegExp[] = [];
  const fault = (text: string) => {
    if (!allowed.some((pattern) => pattern.test(text))) faults.push(text);
  };
  page.on("pageerror", (error) => fault(`page error: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) fault(`console ${message.type()}: ${message.text()} (${message.location().url})`);
  });
  page.on("dialog", (dialog) => {
    fault(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("popup", (popup) => fault(`popup: ${popup.url()}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !/^(?:data|blob):/.test(url)) fault(`request elsewhere: ${url}`);
  });
  return { faults, allow: (pattern) => allowed.push(pattern) };
}

/** Signs in by the form. */
export async function signIn(page: Page, password: string): Promise<void> {
  await page.getByLabel(/^(Administrator password|管理者パスワード)$/).fill(password);
  await page.keyboard.press("Enter");
}

/** A skeleton comes this long after a page asked for its data; until then one cannot see that it waits. */
const SKELETON_AFTER_MS = 250;

/** Waits until the page shows data: no skeleton, nothing busy. */
export async function drawn(page: Page): Promise<void> {
  await page.locator("main").waitFor();
  await page.waitForTimeout(SKELETON_AFTER_MS);
  await expect(page.locator("[aria-busy=true], [class*=skeleton]")).toHaveCount(0);
}

/** The text of CodeMirror's editor, which stands in a shadow tree. */
export function editor(page: Page): Locator {
  return page.locator("[data-filter] .cm-content");
}

/** The rows of the table with that name. */
export function rows(page: Page, label: string | RegExp): Locator {
  return page.getByRole("grid", { name: label }).locator("[role=row][aria-rowindex]:not([aria-rowindex='1'])");
}
