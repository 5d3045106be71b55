// Rules that are not in force: faulty files are listed with their text, and findings of a pasted rule lead nowhere dead.
import { violations } from "../support/axe.ts";
import { firstEvent } from "../support/places.ts";
import { OwnServer, pause } from "../support/server.ts";
import { PROGRAM } from "../support/settings.ts";
import { overview } from "../support/story.ts";
import { drawn, expect, type Page, rows, signIn, test, watched } from "../support/test.ts";

const ID = (n: number) => `7b0f3a52-5a1e-4a0e-9b1d-7c1f2b9e8a0${n}`;
const FILES = {
  "condition.yml": `title: Broken condition\nid: ${ID(1)}\nlogsource:\n  product: linux\ndetection:\n  selection:\n    user.name: nina\n  condition: selectoin\nlevel: high\n`,
  "nameless.yml": "detection:\n  - [unclosed\n",
  "yaml.yml": `title: Broken <b>YAML</b>\nid: ${ID(2)}\ndetection:\n  a: b: c\n`,
};
const PASTED = `title: Pasted into a hunt\nid: ${ID(3)}\nlogsource:\n  product: ocsf\n  category: ssh_activity\ndetection:\n  selection:\n    message|contains: e2e-pasted\n  condition: selection\nlevel: medium\n`;

test.skip(!PROGRAM, "YAGURA_PROGRAM is not set");

test("faulty rules are explained, and what a pasted rule found has no dead link", async ({ browser }) => {
  test.setTimeout(150_000);
  const server = await OwnServer.prepare();
  try {
    for (const [name, text] of Object.entries(FILES)) server.rule(name, text);
    await server.start("up");
    await send(server);
    const context = await browser.newContext({ baseURL: server.url, storageState: { cookies: [], origins: [] } });
    const page = await context.newPage();
    const watch = watched(page, server.url);
    // Before the sign-in, and where there is no such rule.
    watch.allow(/console error: .* (?:401|404) \(/);
    await page.goto("/detections");
    await signIn(page, server.password);
    await faults(page);
    await pasted(page);
    expect(watch.faults).toEqual([]);
    await context.close();
  } finally {
    await server.remove();
  }
});

/** From the count by keys to each fault with its place, and the address repeats it. */
async function faults(page: Page): Promise<void> {
  await page.getByRole("link", { name: "3 rules could not be loaded" }).click();
  await expect(page).toHaveURL(/state=broken/);
  const list = rows(page, "Rules that could not be loaded");
  await expect(list).toHaveCount(3);
  await expect(list.filter({ hasText: "condition.yml" })).toContainText("selection_unknown");
  await page.keyboard.press("j");
  const panel = page.getByRole("region", { name: "Broken condition" });
  await expect(panel.locator("[data-fault]")).toHaveText(/^8\s*condition: selectoin$/);
  await expect(panel).toContainText("selection_unknown");
  expect(await violations(page, "fault")).toEqual([]);
  await page.keyboard.press("j");
  await expect(page).toHaveURL(/fault=.*nameless\.yml/);
  await expect(page.getByRole("region", { name: /nameless\.yml/ })).toContainText("[unclosed");
  await page.keyboard.press("j");
  const twin = page.getByRole("region", { name: "Broken <b>YAML</b>" });
  await expect(twin.locator("[data-fault]")).toContainText("a: b: c");
  await page.reload();
  await expect(twin.locator("[data-fault]")).toContainText("a: b: c");
  await page.getByRole("grid").focus();
  await page.keyboard.press("Enter");
  await expect(twin).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(twin).toHaveCount(0);
  await expect(page).not.toHaveURL(/fault=/);
}

/** A rule is run over the past and recorded; the event names it, and its page says that it is not in force. */
async function pasted(page: Page): Promise<void> {
  const headers = { "yagura-csrf": ((await (await page.request.get("/api/v1/session")).json()) as { csrf_token: string }).csrf_token };
  const run = (await (await page.request.post("/api/v1/rule-hunts", { headers, data: { rules: PASTED } })).json()) as { id: string };
  const recorded = async () => (await page.request.post(`/api/v1/rule-hunts/${run.id}/record`, { headers })).ok();
  await expect.poll(recorded, { timeout: 20_000 }).toBe(true);
  const found = async () => ((await (await page.request.get(`/api/v1/findings?rule=${ID(3)}`)).json()) as { items: unknown[] }).items.length;
  await expect.poll(found, { timeout: 20_000 }).toBeGreaterThan(0);
  await page.goto(`/search?event=${await firstEvent(page.request, "e2e-pasted")}`);
  const finding = page.getByRole("list", { name: "Findings that name this event" }).getByRole("listitem");
  await expect(finding).toContainText("Pasted into a hunt");
  await expect(finding).toContainText("rule not in force");
  await expect(finding.getByRole("link")).toHaveCount(0);
  await page.goto(`/detections/${ID(3)}`);
  await drawn(page);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Not in force");
  await expect(rows(page, "Findings, newest first")).toHaveCount(1);
  await expect(page.getByRole("region", { name: "Why it matched" }).locator("mark").first()).toContainText("e2e-pasted");
  expect(await violations(page, "unknown rule")).toEqual([]);
  await page.getByRole("link", { name: "All detections" }).click();
  await expect(page).toHaveURL(/\/detections$/);
}

async function send(server: OwnServer): Promise<void> {
  const answer = await fetch(`${server.url}/api/v1/ingest?feed=rules&source=linux_syslog`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.token()}`, "content-type": "text/plain" },
    body: `<38>1 ${new Date().toISOString()} web1 sshd 7 - - Accepted publickey for nina from 198.51.100.7 port 22 ssh2: e2e-pasted`,
  });
  if (!answer.ok) throw new Error(`ingest: ${answer.status} ${await answer.text()}`);
  await pause(2_000);
}

test("an incident and an entity name a rule that is not in force, and do not link it", async ({ page }) => {
  const [first] = (await overview(page.request)).attention;
  const { timeline } = (await (await page.request.get(`/api/v1/incidents/${first?.id}`)).json()) as { timeline: Step[] };
  const step = timeline[0] as Step;
  // The demo's own rules are in force; here one of them is missing among the rules, as a pasted one would be.
  await page.route(/\/api\/v1\/rules(?:\?|$)/, async (route) => {
    const answer = await route.fetch();
    const rules = (await answer.json()) as { items: { id: string }[] };
    await route.fulfill({ response: answer, json: { ...rules, items: rules.items.filter((rule) => rule.id !== step.rule) } });
  });
  await page.goto(`/incidents/${first?.id}?step=${step.finding}`);
  const evidence = page.getByRole("region", { name: "Evidence" });
  await expect(evidence).toContainText(step.title);
  await expect(evidence.getByText("rule not in force")).toBeVisible();
  await expect(evidence.getByRole("link", { name: "Open the finding" })).toHaveCount(0);
  expect(await violations(page, "incident of a rule not in force")).toEqual([]);
  const other = timeline.find((one) => one.rule !== step.rule) as Step;
  await page.goto(`/incidents/${first?.id}?step=${other.finding}`);
  await expect(evidence.getByRole("link", { name: "Open the finding" })).toHaveAttribute("href", new RegExp(`/detections/${other.rule}\\?finding=${other.finding}`));
  const { type, value } = step.entities[0] as Step["entities"][number];
  await page.goto(`/entities/${type}/${value}`);
  const row = rows(page, "Findings").filter({ hasText: step.title }).first();
  await expect(row).toContainText("rule not in force");
  await expect(row.getByRole("link")).toHaveCount(0);
  await expect(rows(page, "Findings").filter({ hasText: other.title }).first().getByRole("link")).toHaveCount(1);
});

interface Step {
  finding: string;
  rule: string;
  title: string;
  entities: { type: string; value: string }[];
}
