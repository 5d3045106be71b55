// Before all tests: waits until the demo has told its story, and signs in once.
import { request } from "@playwright/test";
import fs from "node:fs";
import path from "node:path";
import { PASSWORD, SESSION_FILE, URL_OF_DEMO } from "./settings.ts";
import { settled } from "./story.ts";

export default async function setup(): Promise<void> {
  if (!PASSWORD) throw new Error("YAGURA_PASSWORD is not set: start the tests with `cargo xtask test --only browser`, or see web/README.md");
  const api = await request.newContext({ baseURL: URL_OF_DEMO });
  const answer = await api.post("/api/v1/session", { data: { password: PASSWORD } });
  if (!answer.ok()) throw new Error(`the demo at ${URL_OF_DEMO} refuses the sign-in: ${answer.status()} ${await answer.text()}`);
  await settled(api);
  fs.mkdirSync(path.dirname(SESSION_FILE), { recursive: true });
  await api.storageState({ path: SESSION_FILE });
  await api.dispose();
}
