// Browser tests: Debian's Chromium against a running demo. `cargo xtask test --only browser` starts both.
import { defineConfig } from "@playwright/test";
import { CHROMIUM, full, SESSION_FILE, shooting, URL_OF_DEMO } from "./e2e/support/settings.ts";

export default defineConfig({
  testDir: "e2e",
  outputDir: ".e2e/results",
  globalSetup: "./e2e/support/setup.ts",
  // One browser at a time: the figures are of a browser that has the machine to itself.
  workers: 1,
  fullyParallel: false,
  forbidOnly: process.env.CI === "true",
  retries: 0,
  timeout: full ? 120_000 : 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  use: {
    baseURL: URL_OF_DEMO,
    storageState: SESSION_FILE,
    locale: "en-US",
    timezoneId: "Asia/Tokyo",
    colorScheme: "dark",
    actionTimeout: 10_000,
    navigationTimeout: 15_000,
    viewport: { width: 1280, height: 800 },
    // Recording costs a third of the time; `npm run e2e -- --trace on` records.
    trace: "off",
    screenshot: "only-on-failure",
    launchOptions: { executablePath: CHROMIUM, args: ["--no-sandbox"] },
  },
  projects: [
    { name: "short", testMatch: /e2e\/[^/]+\.spec\.ts$/, testIgnore: /screenshots\.spec\.ts$/ },
    ...(full ? [{ name: "full", testMatch: /e2e\/full\/[^/]+\.spec\.ts$/ }] : []),
    ...(shooting ? [{ name: "screenshots", testMatch: /screenshots\.spec\.ts$/ }] : []),
  ],
});
