// What a screen reader finds: headings in order, named parts, tables with heads, and status lines that speak once.
import { places } from "../support/places.ts";
import { overview, SCANNER, STORY } from "../support/story.ts";
import { drawn, expect, type Page, rows, test } from "../support/test.ts";
import { faultsOf, spoken } from "../support/tree.ts";

for (const language of ["en", "ja"] as const) {
  test(`headings, landmarks, tables and controls of every page have order and names (${language})`, async ({ page, set }) => {
    test.setTimeout(240_000);
    await set({ language });
    const faults: string[] = [];
    for (const place of await places(page.request)) {
      await page.goto(place.path);
      await drawn(page);
      faults.push(...faultsOf(await spoken(page)).map((fault) => `${place.name}: ${fault}`));
    }
    expect(faults).toEqual([]);
  });
}

test("the overview says what its pictures show", async ({ page }) => {
  const { funnel, attention } = await overview(page.request);
  const n = (count: number) => count.toLocaleString("en-US");
  await page.goto("/");
  await drawn(page);
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - heading "Overview" [level=1]
    - region "From records to incidents":
      - list:
        - listitem:
          - link /^Records ${n(funnel.records)} .* to Events$/
        - listitem:
          - link /^Events ${n(funnel.events)} .* to Findings$/
        - listitem:
          - link /^Findings ${n(funnel.findings)} from .* matches/
        - listitem:
          - link /^Entities \\d+ under suspicion/
        - listitem:
          - link /^Incidents ${n(funnel.incidents)} /
    - region "Needs a decision":
      - heading "Needs a decision" [level=2]
      - grid "Needs a decision":
        - rowgroup:
          - row:
            - columnheader "Severity"
            - columnheader "Incident"
            - columnheader "Outcome"
            - columnheader "State"
            - columnheader "Last event"
            - columnheader "Columns"
    - region "Feeds":
      - heading "Feeds" [level=2]
      - grid "Feeds":
        - rowgroup:
          - row:
            - columnheader "Feed"
            - columnheader "Records"
            - columnheader "Last received"
            - columnheader "Books"
            - columnheader "Columns"
    - region "Last ten minutes":
      - heading "Last ten minutes" [level=2]
      - table "Last ten minutes":
        - rowgroup:
          - row:
            - columnheader "Minute"
            - columnheader "Records per second"
            - columnheader "Matches"
        - rowgroup:
          - row:
            - rowheader /^\\d\\d:\\d\\d:00 /
            - cell
            - cell
    - region "Platform":
      - heading "Platform" [level=2]
      - term: Searchable after
      - definition
  `);
  await expect(rows(page, "Needs a decision").first()).toContainText(attention[0]?.title ?? "none");
});

test("an incident reads from the head over steps and reasons to the records", async ({ page }) => {
  const [first] = (await overview(page.request)).attention;
  await page.goto(`/incidents/${first?.id}`);
  await drawn(page);
  const headings = (await spoken(page)).filter((node) => node.role === "heading").map((node) => `${node.level} ${node.name}`);
  expect(headings).toEqual([
    `1 Incident ${first?.id} – ${first?.title}`,
    ...["Timeline", "Why it is believed", "Who relates to whom", "Evidence", "Summary", "Notes", "Decisions"].map((name) => `2 ${name}`),
  ]);
  await expect(page.getByRole("region", { name: "Timeline" })).toMatchAriaSnapshot(`
    - heading "Timeline" [level=2]
    - status: /\\d+ steps/
    - img /\\d+ marks on lanes of entities; the table below says the same/
    - grid "Timeline":
      - rowgroup:
        - row:
          - columnheader "Time"
          - columnheader "Severity"
          - columnheader "Finding"
          - columnheader "Matches"
          - columnheader "Outcome"
          - columnheader "Who"
  `);
  await expect(page.getByRole("region", { name: "Why it is believed" })).toMatchAriaSnapshot(`
    - table /What makes up the verdict on .*, in log-odds/:
      - rowgroup:
        - row:
          - columnheader "Contribution"
          - columnheader "Running total"
          - columnheader "Log-odds"
          - columnheader "Effect"
      - rowgroup:
        - row:
          - rowheader "Prior"
  `);
  await expect(page.getByRole("region", { name: "Who relates to whom" }).getByRole("button", { name: new RegExp(`${STORY.host} .* Related to .*${STORY.account}`) })).toBeVisible();
  // Of the many buttons that copy, only the one that has the focus has a line to speak with.
  const evidence = page.getByRole("region", { name: "Evidence" });
  await expect(evidence.getByRole("status")).toHaveText([/\d+ of \d+ records/]);
  await evidence.getByRole("button", { name: "Copy the raw record" }).first().focus();
  await expect(evidence.getByRole("status")).toHaveCount(2);
});

test("a search reads as query, counts, fields and events; the event beside it has its own heading", async ({ page }) => {
  await page.goto(`/search?q=${SCANNER}`);
  await expect(page.getByRole("tabpanel", { name: "Search" })).toMatchAriaSnapshot(`
    - search "Search events":
      - textbox "Search events"
      - button "Run"
    - figure "Events over time":
      - slider "Events over time"
    - region "Fields":
      - heading "Fields" [level=2]
      - button "source" [expanded]
      - list "source":
        - listitem:
          - button /web_access/
          - 'button "Exclude source: web_access"'
    - region "Events":
      - heading "Events" [level=2]
      - status:
        - strong: /All \\d+ events/
      - grid "Events"
  `, { timeout: 30_000 });
  await expect(page.getByRole("slider", { name: "Events over time" })).toHaveAttribute("aria-valuetext", /^\d+ events, .*; most in .*: \d+$/);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  const event = page.getByRole("region", { name: "Event", exact: true });
  await expect(event).toMatchAriaSnapshot(`
    - heading "Event" [level=2]
    - button "Previous event"
    - button "Next event"
    - button "Close the event"
    - heading "Record as received" [level=3]
    - heading "Fields" [level=3]
  `);
});

test("a search that takes long is told once, not with every second", async ({ page }) => {
  await page.goto("/search");
  await drawn(page);
  await listen(page);
  await page.route("**/api/v1/search?*", (route) => setTimeout(() => void route.continue(), 3_500));
  await page.route("**/api/v1/search", (route) => setTimeout(() => void route.continue(), 3_500));
  await page.goto(`/search?q=${SCANNER}`);
  await expect(page.getByRole("region", { name: "Events", exact: true }).getByRole("status").first()).toContainText(/All \d+ events/, { timeout: 15_000 });
  const told = await page.evaluate(() => (window as unknown as { told: string[] }).told);
  expect(told.some((text) => text.includes("Searching"))).toBe(true);
  // Neither the seconds of the search nor those of the grey rows below it.
  expect(told.filter((text) => /\d+ s\b(?!.*events)/.test(text))).toEqual([]);
  expect(told.length).toBeLessThan(12);
});

test("dialogs name themselves and give the focus back", async ({ page }) => {
  await page.goto("/incidents");
  await rows(page, "Incident queue").first().waitFor();
  await page.keyboard.press("j");
  const id = (await overview(page.request)).attention[0]?.id ?? "";
  for (const [key, name] of [["v", new RegExp(id)], ["o", `Who works on ${id}?`], ["?", "Keyboard shortcuts"], ["Control+k", "Command palette"]] as const) {
    await page.keyboard.press(key);
    await expect(page.getByRole("dialog", { name })).toBeVisible();
    // What is behind it is not there for a screen reader.
    expect((await spoken(page)).filter((node) => node.role === "main")).toEqual([]);
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
    await expect(page.getByRole("grid", { name: "Incident queue" })).toBeFocused();
  }
});

/** From the next page on keeps what status lines and alerts say, without what is hidden from screen readers. */
async function listen(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const told: string[] = [];
    const last = new Map<Element, string>();
    (window as unknown as { told: string[] }).told = told;
    const heard = (node: Element) => {
      const copy = node.cloneNode(true) as Element;
      for (const hidden of copy.querySelectorAll("[aria-hidden=true]")) hidden.remove();
      return (copy.textContent ?? "").trim();
    };
    new MutationObserver(() => {
      for (const node of document.querySelectorAll("[role=status], [role=alert], [aria-live]")) {
        const text = heard(node);
        if (text !== "" && last.get(node) !== text) told.push(text);
        last.set(node, text);
      }
    }).observe(document, { childList: true, subtree: true, characterData: true });
  });
}
