// Servers that stop, die and come back, and sessions that end: the console says so and recovers by itself.
import { PROGRAM } from "../support/settings.ts";
import { OwnServer, pause } from "../support/server.ts";
import { overview } from "../support/story.ts";
import { Wire } from "../support/wire.ts";
import { drawn, expect, rows, signIn, test } from "../support/test.ts";

test.describe("a server of one's own", () => {
  test.use({ storageState: { cookies: [], origins: [] } });
  test.skip(!PROGRAM, "YAGURA_PROGRAM is not set");
  let server: OwnServer;

  test.beforeEach(async ({ watch }) => {
    // What a dead server leaves in the browser's console.
    watch.allow(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|ERR_FAILED| 401 \(|Unable to preload CSS|dynamically imported module|request elsewhere/);
    server = await OwnServer.prepare();
  });
  test.afterEach(async () => server.remove());

  test("killed in mid-replay: the console says so, recovers, and the books balance", async ({ page }) => {
    await server.start("demo");
    await page.goto(`${server.url}/`);
    await signIn(page, server.password);
    const counted = page.getByRole("region", { name: "From records to incidents" });
    await expect(counted).toBeVisible();
    await expect.poll(async () => (await overview(page.request, server.url)).funnel.records, { timeout: 30_000 }).toBeGreaterThan(1_000);
    const before = (await overview(page.request, server.url)).funnel.records;
    await server.kill();
    await expect(page.getByRole("alert").filter({ hasText: "The server does not answer." })).toBeVisible({ timeout: 20_000 });
    await expect(counted).toBeVisible();
    await server.start("up");
    const back = Date.now();
    await expect(page.getByText("The server does not answer.")).toHaveCount(0, { timeout: 30_000 });
    await expect(page.getByRole("status").filter({ hasText: /^Live$/ })).toBeVisible({ timeout: 45_000 });
    console.log(`    recovered ${Date.now() - back} ms after the server answered`);
    await expect.poll(async () => (await overview(page.request, server.url)).books.gap, { timeout: 20_000 }).toBe(0);
    const after = await overview(page.request, server.url);
    expect(after.funnel.records, "acknowledged records are there").toBeGreaterThanOrEqual(before);
    await expect(counted).toContainText(after.funnel.records.toLocaleString("en-US"), { timeout: 20_000 });
    await expect(page.getByText("balanced").first()).toBeVisible();
  });

  test("an ended session leads to the sign-in and back to where one was", async ({ page }) => {
    await server.start("up");
    await page.goto(`${server.url}/detections?level=high`);
    await signIn(page, server.password);
    await expect(page).toHaveURL(/\/detections\?level=high$/);
    await page.getByRole("grid").waitFor();
    await page.context().clearCookies();
    await page.getByRole("link", { name: "Entities" }).click();
    await expect(page).toHaveURL(/\/sign-in\?back=/);
    await signIn(page, server.password);
    await expect(page).toHaveURL(/\/entities$/);
  });

  test("a page opened while the server is down says so and comes by itself", async ({ page }) => {
    await server.start("up");
    await page.goto(`${server.url}/incidents`);
    await signIn(page, server.password);
    await page.getByRole("grid").waitFor();
    await server.kill();
    await page.getByRole("link", { name: "Detections" }).click();
    await expect(page.getByText("The server does not answer.").first()).toBeVisible({ timeout: 20_000 });
    await pause(1_000);
    await server.start("up");
    await expect(page.getByText("The server does not answer.")).toHaveCount(0, { timeout: 30_000 });
    await expect(rows(page, /Rules|Detections/).first()).toBeVisible({ timeout: 20_000 });
  });
});

test("a dropped stream connects again by itself, a cut wire is said", async ({ page, watch, baseURL }) => {
  watch.allow(/ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_SOCKET|request elsewhere/);
  const wire = await Wire.to(baseURL ?? "");
  try {
    const streams: string[] = [];
    page.on("request", (request) => request.url().includes("/api/v1/live") && streams.push(request.url()));
    await page.goto(`${wire.url}/`);
    await drawn(page);
    const live = (text: RegExp) => page.getByRole("status").filter({ hasText: text });
    await expect(live(/^Live$/)).toBeVisible();
    const before = streams.length;
    wire.drop();
    await expect.poll(() => streams.length, { timeout: 15_000 }).toBeGreaterThan(before);
    await expect(live(/^Live$/)).toBeVisible({ timeout: 15_000 });
    wire.cut();
    await expect(live(/reconnecting/)).toBeVisible({ timeout: 20_000 });
    await expect(page.getByRole("alert").filter({ hasText: "The server does not answer." })).toBeVisible({ timeout: 20_000 });
    wire.mend();
    await expect(live(/^Live$/)).toBeVisible({ timeout: 30_000 });
    await expect(page.getByText("The server does not answer.")).toHaveCount(0);
  } finally {
    wire.remove();
  }
});
