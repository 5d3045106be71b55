// Every page of the console, with something on it.
import type { APIRequestContext } from "@playwright/test";
import { overview, SCANNER, STORY } from "./story.ts";

export interface Place {
  name: string;
  path: string;
}

/** The addresses of all pages behind the sign-in. */
export async function places(api: APIRequestContext): Promise<Place[]> {
  const { attention } = await overview(api);
  const incident = attention[0] ?? { id: "INC-2026-0001", tenant: "default" };
  const found = await api.get(`/api/v1/findings?limit=1`);
  const finding = ((await found.json()) as { items: { finding_info: { analytic: { uid: string } } }[] }).items[0];
  const event = await firstEvent(api, SCANNER);
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
    { name: "account", path: "/account" },
    { name: "nowhere", path: "/nowhere" },
  ];
}

/** The id of an event that a search finds. */
export async function firstEvent(api: APIRequestContext, query: string, base = ""): Promise<string> {
  const { csrf_token } = (await (await api.get(`${base}/api/v1/session`)).json()) as { csrf_token: string };
  const answer = await api.post(`${base}/api/v1/search`, { headers: { "yagura-csrf": csrf_token }, data: { query, limit: 1 } });
  const line = (await answer.text()).split("\n")[0] ?? "";
  const event = JSON.parse(line) as { metadata?: { uid?: string }; id?: string };
  return event.metadata?.uid ?? event.id ?? "";
}
