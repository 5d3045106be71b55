// Records parsed again: a definition is changed, the page says what it comes to, and events are as the new one reads them.
import fs from "node:fs";
import path from "node:path";
import { violations } from "../support/axe.ts";
import { OwnServer, pause } from "../support/server.ts";
import { PROGRAM } from "../support/settings.ts";
import { drawn, expect, type Page, rows, signIn, test, watched } from "../support/test.ts";

const LINES = 40;
const BEFORE = 'message = "badge"';
const AFTER = '"user.name" = "badge", "device.hostname" = "door"';

test("records are parsed again by a changed definition", async ({ browser }) => {
  test.skip(!PROGRAM, "YAGURA_PROGRAM is not set");
  test.setTimeout(150_000);
  const server = await OwnServer.prepare();
  try {
    define(server, BEFORE);
    await server.start("up");
    await send(server);
    define(server, AFTER);
    const context = await browser.newContext({ baseURL: server.url, storageState: { cookies: [], origins: [] } });
    const page = await context.newPage();
    const watch = watched(page, server.url);
    // Before the sign-in, where there was no run yet, and of a source that is defined nowhere.
    watch.allow(/console error: .* (?:400|401|404) \(/);
    await page.goto("/");
    await signIn(page, server.password);
    await page.getByRole("region", { name: "Feeds" }).getByRole("link", { name: "Parse again" }).click();
    await expect(page).toHaveURL(/\/reparse$/);
    await expect(page.getByText("Nothing was parsed again since the server started.")).toBeVisible();
    await unknown(page);
    await begun(page);
    expect(await violations(page, "reparse")).toEqual([]);
    await page.goto("/search?q=user:badge-3");
    await expect(rows(page, "Events").first()).toContainText("badge-3");
    await page.keyboard.press("j");
    // The lines tell of a day long before they came in, and the event says both.
    await expect(page.getByRole("region", { name: "Event", exact: true }).getByText(/^received \d{4}-/)).toBeVisible();
    expect(watch.faults).toEqual([]);
    await context.close();
  } finally {
    await server.remove();
  }
});

/** A source of which nothing came is named; the server does not know it, and the page says so. */
async function unknown(page: Page): Promise<void> {
  await page.getByLabel("Another source, by its name").fill("turnstile");
  await page.keyboard.press("Enter");
  const added = page.getByRole("checkbox", { name: /turnstile/ });
  await expect(added).toBeChecked();
  await expect(page).toHaveURL(/source=turnstile/);
  await page.getByRole("button", { name: "Show cost" }).click();
  await expect(page.getByRole("alert")).toContainText("No source of that name is defined.");
  await expect(page.getByRole("alert")).toContainText("source_unknown");
  await added.uncheck();
  await expect(added).toBeFocused();
  await expect(page.getByRole("alert")).toHaveCount(0);
}

/** By keys: the cost first, then the run, and how it ended. */
async function begun(page: Page): Promise<void> {
  await page.getByRole("checkbox", { name: /badge_reader/ }).check();
  await page.getByLabel("First day of receipt").fill("2026-13-01");
  await expect(page.getByText("Write days as 2026-11-02.")).toBeVisible();
  await page.getByRole("button", { name: "Last 7 days" }).click();
  await page.getByLabel("Last day of receipt").press("Control+Enter");
  await expect(page.getByRole("button", { name: "Parse again" })).toBeVisible();
  const last = page.getByRole("region", { name: "Last run" });
  await page.getByLabel("Last day of receipt").press("Enter");
  await pause(500);
  await expect(last).toContainText("Nothing was parsed again");
  await page.getByLabel("Last day of receipt").press("Control+Enter");
  await expect(last).toContainText("Done", { timeout: 20_000 });
  await expect(last).toContainText(`Records ${LINES} of ${LINES}`);
  await expect(last).toContainText("badge_reader");
  await expect(last.getByRole("status").filter({ hasText: /./ })).toHaveText("Last run: Done");
  // What it comes to counts what is in files, as all is by then.
  await page.getByRole("button", { name: "Show cost" }).click();
  await expect(page.getByRole("region", { name: "What it comes to" }).locator("dd").first()).toHaveText(String(LINES));
}

test("a run tells how long it takes, is stopped, and says why it failed; not all may see it", async ({ page, watch }) => {
  watch.allow(/console error: .* 403 \(/);
  let answer: { status: number; body: object } = { status: 200, body: run({ state: "running", records: 250_000, ms: 10_000 }) };
  let stopped = 0;
  await page.route("**/api/v1/reparse", (route) => {
    if (route.request().method() === "DELETE") {
      stopped += 1;
      answer = { status: 200, body: run({ state: "cancelled", records: 300_000, ms: 12_000, partitions_done: 1 }) };
      return route.fulfill({ status: 204 });
    }
    return route.fulfill({ status: answer.status, json: answer.body, contentType: answer.status === 200 ? "application/json" : "application/problem+json" });
  });
  await page.goto("/reparse");
  const last = page.getByRole("region", { name: "Last run" });
  await expect(last.getByRole("progressbar", { name: "Records parsed again" })).toHaveAttribute("value", "0.25");
  await expect(last).toContainText("about 30 s");
  await expect(last).toContainText("Records 250,000 of 1,000,000");
  await page.getByRole("button", { name: "Show cost" }).click();
  const start = page.getByRole("button", { name: "Parse again" });
  await expect(start).toHaveAttribute("aria-disabled", "true");
  await page.mouse.move(0, 0);
  await start.hover();
  await expect(page.getByRole("tooltip")).toHaveText("Records are being parsed again. Wait for it, or stop it.");
  await last.getByRole("button", { name: "Stop" }).click();
  await expect(last.getByRole("status").filter({ hasText: /./ })).toHaveText("Last run: Stopped");
  expect(stopped).toBe(1);
  await expect(last).toContainText("A second run may simply follow.");
  await expect(last.getByRole("button", { name: "Stop" })).toHaveCount(0);
  answer = { status: 200, body: run({ state: "failed", records: 0, ms: 900, code: "reparse_disk", detail: "a partition of 9 bytes is written anew" }) };
  await page.reload();
  await expect(last).toContainText("The disk has too little room for the next part.");
  await expect(last).toContainText("reparse_disk");
  answer = { status: 403, body: { type: "about:blank", title: "Forbidden", status: 403, code: "tenants_not_all", detail: "" } };
  await page.reload();
  await drawn(page);
  await expect(page.getByText("Your role does not allow you to see this.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Show cost" })).toHaveCount(0);
});

/** A run as the server tells it. */
function run(more: object): object {
  const cost = { partitions: 4, files: 12, records: 1_000_000, bytes: 90_000_000, largest_bytes: 30_000_000 };
  const asked = { sources: [], from: null, until: null };
  return { asked, cost, partitions_done: 0, by: "admin", time_dt: new Date().toISOString(), code: null, detail: null, ...more };
}

/** A door's reader; `map` says what of a line means what. */
function define(server: OwnServer, map: string): void {
  const dir = path.join(server.data, "sources/badge_reader");
  fs.mkdirSync(dir, { recursive: true });
  const text = `name = "badge_reader"
products = ["Doors"]
decode = "csv"
recognise = [",BADGE,"]

[csv]
by = 2

[csv.columns]
BADGE = ["time", "kind", "door", "badge"]

[defaults]
class = "authentication"
logsource = { product = "doors", service = "*" }
time = { field = "time", formats = ["%Y-%m-%d %T"] }
map = { ${map} }
`;
  fs.writeFileSync(path.join(dir, "source.toml"), text);
}

async function send(server: OwnServer): Promise<void> {
  const lines = Array.from({ length: LINES }, (_, n) => `2026-11-02 08:00:${String(n).padStart(2, "0")},BADGE,door-${n % 7},badge-${n % 5}`);
  const answer = await fetch(`${server.url}/api/v1/ingest?feed=doors`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.token()}`, "content-type": "text/plain" },
    body: lines.join("\n"),
  });
  if (!answer.ok) throw new Error(`ingest: ${answer.status} ${await answer.text()}`);
  await pause(2_000);
}
