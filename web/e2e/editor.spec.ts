// The editors under the content security policy: what is typed over several lines breaks no rule of it.
import { drawn, editor, expect, test } from "./support/test.ts";

const EDITORS = [
  { name: "search", path: "/search", lines: ["src_ip:1.2.3.4", "user:deploy", '"failed"'], typed: "sx yfailed\"" },
  { name: "pipe", path: "/search?view=pipe", lines: ["events", "| where user == 1", "| take 5"], typed: "ex y take 5" },
  { name: "rule", path: "/search?view=hunt&by=rules", lines: ["title: x", "detection:  # why", "  a: b"], typed: "tx y a: b" },
];

for (const { name, path, lines, typed } of EDITORS) {
  test(`the ${name} editor takes what is typed over a selection of several lines`, async ({ page }) => {
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => console.error(`refused by ${event.violatedDirective}`));
    });
    await page.goto(path);
    await drawn(page);
    const text = editor(page);
    await text.click();
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText(lines.join("\n"));
    // Closes what completion offers, so that the arrows move the cursor.
    await page.keyboard.press("Escape");
    await text.click();
    const select = async () => {
      await page.keyboard.press("Control+Home");
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("Shift+ArrowDown");
      await page.keyboard.press("Shift+ArrowDown");
    };
    await select();
    await page.keyboard.type("x y");
    await expect.poll(() => text.innerText()).toBe(typed);
    // One step back undoes the typing and brings the selection's lines again.
    await page.keyboard.press("Control+z");
    await expect.poll(() => text.innerText()).toBe(lines.join("\n"));
    await select();
    await page.keyboard.insertText("one\ntwo ");
    await expect.poll(() => text.innerText()).toBe(typed.replace("x y", "one\ntwo "));
  });
}
