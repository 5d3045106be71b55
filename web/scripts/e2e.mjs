// `npm run e2e`: the browser tests against YAGURA_URL, where there is a browser.
import { spawnSync } from "node:child_process";
import fs from "node:fs";

const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";
if (!fs.existsSync(chromium)) {
  console.log(`SKIPPED: browser tests: ${chromium} is missing (apt-get install chromium fonts-noto-cjk)`);
  process.exit(process.env.CI === "true" ? 1 : 0);
}
const ran = spawnSync("npx", ["--no-install", "playwright", "test", ...process.argv.slice(2)], { stdio: "inherit" });
process.exit(ran.status ?? 1);
