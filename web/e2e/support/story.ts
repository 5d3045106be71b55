// What the demo's story leads to, and waiting for its end.
import type { APIRequestContext } from "@playwright/test";

/** Principals of the attack that the story hides. */
export const STORY = { host: "web01", account: "deploy", attacker: "203.0.113.66", destination: "cdn-sync.example" } as const;
/** What an Apache log of the story holds of the attacker's scanner. */
export const SCANNER = "nikto";

const STORY_MS_MAX = 150_000;

export interface OverviewBody {
  funnel: { records: number; events: number; findings: number; incidents: number };
  books: { received: number; gap: number };
  attention: { id: string; tenant: string; title: string }[];
}

export async function overview(api: APIRequestContext, base = ""): Promise<OverviewBody> {
  const answer = await api.get(`${base}/api/v1/overview`);
  if (!answer.ok()) throw new Error(`overview: ${answer.status()} ${await answer.text()}`);
  return (await answer.json()) as OverviewBody;
}

/** Waits until there is an incident and no record has come for two seconds. */
export async function settled(api: APIRequestContext, base = ""): Promise<OverviewBody> {
  const until = Date.now() + STORY_MS_MAX;
  let before = -1;
  for (;;) {
    const now = await overview(api, base);
    if (now.funnel.incidents > 0 && now.funnel.records === before) return now;
    if (Date.now() > until) throw new Error(`the story has not ended: ${JSON.stringify(now.funnel)}`);
    before = now.funnel.records;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
}
