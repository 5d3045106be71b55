// Every page of the console, with something on it.
import type { APIRequestContext } from "@playwright/test";
import { overview, SCANNER, STORY } from "./story.ts";

export interface Place {
  name: string;
  path: string;
}

/** Pages that people see most: what the short set looks at. */
export const SEEN_MOST = ["overview", "incidents", "incident", "event", "detection"];

/** The addresses of all pages behind the sign-in. */
export async function places(api: APIRequestContext): Promise<Place[]> {
  const { attention } = await overview(api);
  const incident = attention[0] ?? { id: "INC-2026-0001", tenant: "default" };
  const found = await api.get(`/api/v1/findings?limit=1`);
  const finding = ((await found.json()) as { items: { finding_info: { analytic: { uid: string } } }[] }).items[0];
  const event = await firstEvent(api, SCANNER);
  await parseNothingAgain(api);
  return [
    { name: "overview", path: "/" },
    { name: "incidents", path: "/incidents" },
    { name: "preview", path: `/incidents?peek=${encodeURIComponent(`${incident.tenant}/${incident.id}`)}` },
    { name: "incident", path: `/incidents/${incident.id}` },
    { name: "search", path: `/search?q=${SCANNER}` },
    { name: "event", path: `/search?q=${SCANNER}&event=${event}` },
    { name: "nothing found", path: "/search?q=nowhere.invalid" },
    { name: "pipe", path: `/search?view=pipe&pipe=${encodeURIComponent("events | summarize count() by src_ip")}` },
    { name: "hunt", path: `/search?view=hunt&hunt=${encodeURIComponent(`${STORY.attacker}\n${STORY.destination}`)}` },
    { name: "hunt with rules", path: `/search?view=hunt&rule=${encodeURIComponent(finding?.finding_info.analytic.uid ?? "none")}` },
    { name: "detections", path: "/detections" },
    { name: "detection", path: `/detections/${encodeURIComponent(finding?.finding_info.analytic.uid ?? "none")}` },
    { name: "entities", path: "/entities" },
    { name: "entity", path: `/entities/host/${STORY.host}` },
    { name: "notifications", path: "/notifications" },
    { name: "reparse", path: "/reparse?from=2026-11-02" },
    { name: "account", path: "/account" },
    { name: "nowhere", path: "/nowhere" },
  ];
}

/** A run over a day on which nothing came: the page of such runs has a last one, and nothing changes. */
async function parseNothingAgain(api: APIRequestContext): Promise<void> {
  const day = "1970-01-01";
  await api.post("/api/v1/reparse", { headers: await csrf(api), data: { sources: [], from: day, until: day } });
}

/** The id of an event that a search finds. */
export async function firstEvent(api: APIRequestContext, query: string, base = ""): Promise<string> {
  const answer = await api.post(`${base}/api/v1/search`, { headers: await csrf(api, base), data: { query, limit: 1 } });
  const line = (await answer.text()).split("\n")[0] ?? "";
  const event = JSON.parse(line) as { metadata?: { uid?: string }; id?: string };
  return event.metadata?.uid ?? event.id ?? "";
}

/** What requests carry that change or ask something. */
async function csrf(api: APIRequestContext, base = ""): Promise<Record<string, string>> {
  const { csrf_token } = (await (await api.get(`${base}/api/v1/session`)).json()) as { csrf_token: string };
  return { "yagura-csrf": csrf_token };
}
