// Takes screenshots of pages against the mock: `npm run shoot -- /incidents --lang ja --theme light`.
import path from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { createServer } from "vite";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", default: ".shots" },
    width: { type: "string", default: "1280" },
    height: { type: "string" },
    theme: { type: "string", default: "dark" },
    lang: { type: "string", default: "en" },
    zone: { type: "string", default: "Asia/Tokyo" },
    keys: { type: "string", default: "" },
    click: { type: "string", default: "" },
    wait: { type: "string", default: "1500" },
  },
});
const web = path.resolve(import.meta.dirname, "..");
const server = await createServer({ root: web, mode: "mock", logLevel: "warn", server: { port: 0, strictPort: false } });
await server.listen();
const { port } = server.httpServer.address();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
let faults = 0;
try {
  for (const address of positionals.length > 0 ? positionals : ["/"]) {
    for (const width of values.width.split(",")) {
      for (const theme of values.theme.split(",")) {
        for (const lang of values.lang.split(",")) await shoot(address, Number(width), theme, lang);
      }
    }
  }
} finally {
  await browser.close();
  await server.close();
}
process.exit(faults > 0 ? 1 : 0);

async function shoot(address, width, theme, language) {
  const height = Number(values.height ?? Math.round((width * 10) / 16));
  const context = await browser.newContext({ viewport: { width, height }, locale: language, timezoneId: values.zone, colorScheme: theme });
  await context.addInitScript((kept) => localStorage.setItem("yagura.settings", kept), JSON.stringify({ theme, language }));
  const page = await context.newPage();
  page.on("pageerror", (error) => fault(address, error.message));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && fault(address, message.text()));
  await page.goto(`http://127.0.0.1:${port}${address}`);
  await page.locator("#root > *").first().waitFor({ timeout: 30_000 });
  await page.waitForTimeout(Number(values.wait));
  if (values.click) await page.locator(values.click).first().click();
  for (const key of values.keys.split(" ").filter(Boolean)) await page.keyboard.press(key, { delay: 20 });
  if (values.click || values.keys) await page.waitForTimeout(500);
  const name = `${address.replace(/[^\w-]+/g, "_").replace(/^_+|_+$/g, "") || "overview"}-${width}-${theme}-${language}.png`;
  const file = path.resolve(web, values.out, name);
  await page.screenshot({ path: file });
  console.log(file);
  await context.close();
}

function fault(address, text) {
  faults += 1;
  console.error(`${address}: ${text}`);
}
