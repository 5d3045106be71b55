// Queries as people type them: wrong ones are told where, input methods do not send them, links repeat the view.
import { SCANNER } from "../support/story.ts";
import { drawn, editor, expect, rows, test } from "../support/test.ts";

const WRONG = [
  { path: "/search?q=", query: `user:"nina`, place: `"nina` },
  { path: "/search?q=", query: "(a OR b", place: "" },
  { path: "/search?q=", query: "src_ip:10.0.0.0/99", place: "10.0.0.0/99" },
  { path: "/search?view=pipe&pipe=", query: "events | summarise count()", place: "summarise" },
  { path: "/search?view=pipe&pipe=", query: "events | where src_ip ==", place: "" },
];

for (const { path, query, place } of WRONG) {
  test(`${query} is refused with its place`, async ({ page, watch }) => {
    watch.allow(/console error: .* 400 \(/);
    await page.goto(`${path}${encodeURIComponent(query)}`);
    const fault = page.getByRole("alert").filter({ has: page.locator("mark") }).first();
    await expect(fault).toBeVisible();
    await expect(fault.locator("p").first()).not.toBeEmpty();
    if (place) await expect(fault.locator("mark")).toContainText(place);
    // The page lives on: a right query follows.
    await page.goto(`/search?q=${SCANNER}`);
    await expect(rows(page, "Events").first()).toBeVisible();
  });
}

test("what an input method composes is not sent by its Enter", async ({ page }) => {
  const sent: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/api/v1/search")) sent.push(request.postData() ?? "");
  });
  await page.goto("/search");
  await drawn(page);
  const before = sent.length;
  await editor(page).click();
  const cdp = await page.context().newCDPSession(page);
  const compose = async (text: string) => {
    await cdp.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
  };
  const enter = (code: number) => cdp.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: code === 229 ? "Process" : "Enter", code: "Enter", windowsVirtualKeyCode: code });
  await compose("しっぱ");
  await compose("失敗");
  await enter(229);
  await page.waitForTimeout(300);
  expect(sent.length, "searches sent while composing").toBe(before);
  await cdp.send("Input.insertText", { text: "失敗" });
  await expect(editor(page)).toContainText("失敗");
  expect(sent.length).toBe(before);
  await page.keyboard.press("Escape");
  await editor(page).click();
  await page.keyboard.press("End");
  await page.keyboard.press("Control+Enter");
  await expect(page).toHaveURL(/q=%E5%A4%B1%E6%95%97/);

  // The palette, too.
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog", { name: "Command palette" }).waitFor();
  const at = page.url();
  await compose("いんしでんと");
  await enter(229);
  await page.waitForTimeout(300);
  await expect(page.getByRole("dialog")).toBeVisible();
  expect(page.url()).toBe(at);
});

test("a copied address shows the same view elsewhere", async ({ page, browser, baseURL }) => {
  await page.goto(`/search?q=${encodeURIComponent(`"${SCANNER}" OR user:deploy`)}&sort=time`);
  await expect(rows(page, "Events").first()).toBeVisible();
  await rows(page, "Events").nth(1).click({ position: { x: 30, y: 10 } });
  await expect(page).toHaveURL(/event=/);
  await drawn(page);
  const other = await browser.newContext({ ...(baseURL && { baseURL }), storageState: await page.context().storageState() });
  const twin = await other.newPage();
  await twin.goto(page.url());
  await drawn(twin);
  const seen = async (one: typeof page) => ({
    query: await editor(one).innerText(),
    event: await one.getByRole("group", { name: /Record as received/ }).innerText(),
    first: await rows(one, "Events").first().innerText(),
    active: await rows(one, "Events").and(one.locator("[data-active]")).innerText(),
  });
  expect(await seen(twin)).toEqual(await seen(page));
  await other.close();
});
