// The way an analyst goes: from the sign-in over the incident down to the raw line, and on from there.
import { PASSWORD } from "./support/settings.ts";
import { overview, SCANNER, STORY } from "./support/story.ts";
import { drawn, editor, expect, rows, signIn, test } from "./support/test.ts";

test.describe("signing in", () => {
  test.use({ storageState: { cookies: [], origins: [] } });

  test("a wrong password is refused, the right one leads to where one wanted to go", async ({ page, watch }) => {
    watch.allow(/console error: .* 401 \(/);
    await page.goto("/incidents?state=all");
    await expect(page).toHaveURL(/\/sign-in\?back=/);
    await signIn(page, "not the password");
    await expect(page.getByRole("alert")).toHaveText("The password is wrong.");
    await signIn(page, PASSWORD);
    await expect(page).toHaveURL(/\/incidents\?state=all$/);
    await expect(rows(page, "Incident queue").first()).toBeVisible();
  });
});

test("the funnel tells the story in five figures that the API has too", async ({ page }) => {
  await page.goto("/");
  const funnel = page.getByRole("region", { name: "From records to incidents" });
  const { funnel: figures, books } = await overview(page.request);
  expect(books.gap).toBe(0);
  expect(figures.records).toBeGreaterThan(9_000);
  const cells = { Records: figures.records, Events: figures.events, Findings: figures.findings, Incidents: figures.incidents };
  for (const [name, figure] of Object.entries(cells)) {
    const cell = funnel.getByRole("listitem").filter({ has: page.getByText(name, { exact: true }) });
    await expect(cell).toContainText(figure.toLocaleString("en-US"));
  }
  const attention = rows(page, "Needs a decision");
  await expect(attention).toHaveCount(1);
  await expect(attention).toContainText(STORY.host);
  await expect(attention).toContainText("Critical");
  await expect(page.getByRole("status").filter({ hasText: "Live" })).toBeVisible();
});

test("keys alone lead from the overview to the raw line", async ({ page }) => {
  await page.goto("/");
  await expect(rows(page, "Needs a decision")).toHaveCount(1);
  await page.keyboard.press("g");
  await page.keyboard.press("i");
  await expect(page).toHaveURL(/\/incidents$/);
  const queue = rows(page, "Incident queue");
  await expect(queue.first()).toBeVisible();
  await page.keyboard.press("j");
  await page.keyboard.press("Space");
  await expect(page).toHaveURL(/peek=/);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/incidents\/INC-\d{4}-\d+/);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(STORY.host);
  const evidence = page.getByRole("region", { name: "Evidence" });
  await expect(evidence.locator("ol > li").first()).toBeVisible();
  // A step of the timeline narrows the evidence to its own.
  const before = await evidence.getByRole("status").first().innerText();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/step=/);
  await expect(evidence.getByRole("status").first()).not.toHaveText(before);
  await expect(evidence.locator("code").first()).toContainText(/\S/);
  await page.keyboard.press("g");
  await page.keyboard.press("o");
  await expect(page).toHaveURL(/\/$/);
});

test("the incident names who, and its evidence leads to the event with its places", async ({ page }) => {
  await page.goto("/incidents");
  await rows(page, "Incident queue").first().getByRole("link").first().click();
  for (const name of [STORY.host, STORY.account, STORY.attacker, STORY.destination]) {
    await expect(page.getByText(name).first()).toBeVisible();
  }
  const evidence = page.getByRole("region", { name: "Evidence" });
  await evidence.getByRole("link", { name: "Open in search" }).first().click();
  await expect(page).toHaveURL(/\/search\?.*event=/);
  const event = page.getByRole("region", { name: "Event", exact: true });
  await expect(event.locator("mark[data-mark]").first()).toBeVisible();
  // Pointing at a piece of the record lights up the field it became, arrow keys go on.
  const record = event.getByRole("group", { name: /Record as received/ });
  await record.focus();
  await page.keyboard.press("ArrowRight");
  await expect(record.getByRole("status")).not.toBeEmpty();
});

test("any value is gone on from: pivot to search", async ({ page }) => {
  await page.goto("/incidents");
  await rows(page, "Incident queue").first().getByRole("link").first().click();
  const evidence = page.getByRole("region", { name: "Evidence" });
  await evidence.getByTitle(`What to do with ${STORY.attacker}`).first().click();
  await page.getByRole("menuitem", { name: "Search for it" }).click();
  await expect(page).toHaveURL(new RegExp(`/search\\?q=.*${STORY.attacker.replaceAll(".", "\\.")}`));
  await drawn(page);
  await expect(page.getByRole("region", { name: "Events", exact: true }).getByRole("status").first()).toContainText(/events/);
  await expect(rows(page, "Events").first()).toBeVisible();
});

test("a search finds, opens an event and lights up what a field came from", async ({ page }) => {
  await page.goto("/search");
  await editor(page).click();
  await page.keyboard.type(SCANNER);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`q=${SCANNER}`));
  // Until the answer comes, the rows before stay.
  await drawn(page);
  await expect(rows(page, "Events").first()).toBeVisible();
  await rows(page, "Events").first().click({ position: { x: 30, y: 10 } });
  const event = page.getByRole("region", { name: "Event", exact: true });
  await expect(event.getByRole("group", { name: /Record as received/ })).toContainText(new RegExp(SCANNER, "i"));
  await event.locator("mark[data-mark]").nth(1).hover();
  await expect(event.locator("[data-tree] [data-lit]").first()).toBeVisible();
});

test("a quoted phrase in a link stays a phrase", async ({ page }) => {
  await page.goto(`/search?q=${encodeURIComponent('"GET /"')}`);
  await expect(editor(page)).toHaveText('"GET /"');
  await expect(rows(page, "Events").first()).toBeVisible();
});

test("a pipe answers with rows and a hunt with sightings", async ({ page }) => {
  await page.goto("/search?view=pipe");
  await editor(page).click();
  await page.keyboard.type("events | summarize n = count() by src_ip | top 5 by n");
  await page.keyboard.press("Escape");
  await editor(page).click();
  await page.keyboard.press("Control+Enter");
  await expect(rows(page, "Rows of the answer")).toHaveCount(5);

  await page.getByRole("tab", { name: "Hunt" }).click();
  await page.getByLabel("Indicators to hunt for").fill(`203[.]0[.]113[.]66\n${STORY.destination}\nnowhere.invalid\n10.0.0.1`);
  await page.getByRole("button", { name: "Hunt for 3 indicators" }).click();
  const found = page.getByRole("region", { name: "Sightings" });
  await expect(found.getByText("2 of 3 indicators seen")).toBeVisible();
  await found.getByText("1 entry refused").click();
  await expect(found.getByRole("listitem").filter({ hasText: "10.0.0.1" })).toContainText("Line 4");
  await found.getByRole("link", { name: "Show events" }).or(found.getByRole("button", { name: "Show events" })).first().click();
  await expect(rows(page, "Events").first()).toBeVisible();
});

const SCANNER_RULE = `title: A scanner in the past <b>
id: 0d6f3a52-5a1e-4a0e-9b1d-7c1f2b9e8a01
logsource:
  product: ocsf
  category: http_activity
detection:
  selection:
    http_request.user_agent|contains: ${SCANNER}
  condition: selectoin
level: medium
`;

test("a rule is mended, its cost is shown, and its run over the past finds what was logged", async ({ page, watch }) => {
  watch.allow(/console error: .* 400 \(/);
  await page.goto("/search?view=hunt");
  await page.getByRole("button", { name: "Rules", exact: true }).click();
  await editor(page).click();
  await page.keyboard.insertText(SCANNER_RULE);
  await page.getByRole("button", { name: "Show cost" }).click();
  const fault = page.getByRole("alert").filter({ hasText: /Line \d+:/ });
  await expect(fault).toContainText("selectoin");
  await expect(page.getByRole("button", { name: "Run", exact: true })).toHaveCount(0);

  await editor(page).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(SCANNER_RULE.replace("selectoin", "selection"));
  await page.keyboard.press("Control+Enter");
  const cost = page.getByRole("region", { name: "Cost" });
  await expect(cost).toContainText("A scanner in the past <b>");
  await expect(cost).toContainText(/at most \d/);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page).toHaveURL(/run=r\d+/);

  const found = rows(page, "Findings of the run");
  await expect(found.first()).toContainText("A scanner in the past <b>", { timeout: 30_000 });
  await expect(found.first()).toContainText("New");
  const why = page.getByRole("region", { name: "Why it matched" });
  await expect(why.locator("ol > li").first()).toContainText(new RegExp(SCANNER, "i"));
  // Recording asks first; it is left here, so that the story stays as it is.
  await page.getByRole("button", { name: "Record these findings" }).click();
  await expect(page.getByRole("dialog")).toContainText("marked as retrospective");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Delete" }).click();
  await expect(page).not.toHaveURL(/run=/);
});

test("a rule in force goes from its page to a run over the past", async ({ page }) => {
  const { items } = (await (await page.request.get("/api/v1/findings?limit=1")).json()) as { items: { finding_info: { title: string; analytic: { uid: string } } }[] };
  const info = items[0]?.finding_info;
  await page.goto(`/detections/${encodeURIComponent(info?.analytic.uid ?? "none")}`);
  await page.getByRole("button", { name: "Run over the past" }).click();
  await expect(page).toHaveURL(/\/search\?.*rule=/);
  await page.getByRole("button", { name: "Show cost" }).click();
  await expect(page.getByRole("region", { name: "Cost" })).toContainText(info?.title ?? "none");
});

test("language and theme are switched and kept", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("button", { name: "Language" }).click();
  await page.getByRole("menuitemradio", { name: "日本語" }).or(page.getByRole("menuitem", { name: "日本語" })).click();
  await expect(page.locator("html")).toHaveAttribute("lang", "ja");
  await expect(page.getByRole("navigation").getByRole("link", { name: "インシデント" })).toBeVisible();
  await page.getByRole("button", { name: "配色" }).click();
  await page.getByRole("menuitemradio", { name: "ライト" }).or(page.getByRole("menuitem", { name: "ライト" })).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
  await expect(page.getByRole("button", { name: "配色" })).toBeVisible();
});
