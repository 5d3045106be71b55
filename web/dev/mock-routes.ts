// Which fixture answers what. Fixtures are moved in time so that their newest moment is the present.
import fs from "node:fs";
import path from "node:path";
import { backgroundSearches, beginSearch, endSearch, flat, hunt, jobRows, spansOf } from "./mock-search.ts";
import { ruleTag, ruleText, statesOf, switchRule, withState } from "./mock-rules.ts";
import { beginRuleHunt, endRuleHunt, recordRuleHunt, ruleHuntCost, ruleHuntFindings, ruleHunts } from "./mock-rule-hunts.ts";
import { beginReparse, endReparse, reparse, reparseCost } from "./mock-reparse.ts";
import { channels, notifications, retryNotification } from "./mock-notifications.ts";
import { addToken, listTokens, removeToken } from "./mock-tokens.ts";

export interface Reply {
  status?: number;
  type?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

type Json = Record<string, unknown>;
type Handler = (context: { params: string[]; query: URLSearchParams; body: Json; ifMatch: string | undefined }) => Reply;

const FOLDER = path.resolve(import.meta.dirname, "fixtures");
/** The present of the fixtures. */
const FIXTURE_NOW = Date.parse("2026-11-26T05:40:00Z");
const started = Date.now();
let signedIn = true;
const decided = new Map<string, Json[]>();
const notes: Json[] = [];

/** A fixture's JSON, a fresh copy, with RFC 3339 texts moved to the present. */
export function fixture(name: string): unknown {
  const text = fs.readFileSync(path.join(FOLDER, `${name}.json`), "utf8");
  const shift = Math.round((started - FIXTURE_NOW) / 60_000) * 60_000;
  return JSON.parse(
    text.replace(/"(20\d\d-\d\d-\d\dT[\d:.]+Z)"/g, (_, time: string) => `"${new Date(Date.parse(time) + shift).toISOString()}"`),
  );
}

/** The answer of the mock to a request. */
export function answer(method: string, at: string, query: URLSearchParams, body: Json, ifMatch?: string): Reply {
  if (!signedIn && at !== "/session") return problem(401, "session_required");
  for (const [verb, pattern, handler] of routes) {
    const match = verb === method && pattern.exec(at);
    if (match) return handler({ params: match.slice(1).map(decodeURIComponent), query, body, ifMatch });
  }
  return problem(404, "not_found");
}

const routes: [string, RegExp, Handler][] = [
  ["GET", /^\/session$/, () => (signedIn ? { body: fixture("session") } : problem(401, "session_required"))],
  ["POST", /^\/session$/, ({ body }) => signIn(body)],
  ["DELETE", /^\/session$/, () => ((signedIn = false), { status: 204 })],
  ["GET", /^\/overview$/, () => ({ body: fixture("overview") })],
  ["GET", /^\/feeds$/, () => ({ body: { items: (fixture("overview") as { feeds: Json[] }).feeds } })],
  ["GET", /^\/books$/, () => ({ body: fixture("books") })],
  ["GET", /^\/incidents$/, ({ query }) => ({ body: incidents(query) })],
  ["GET", /^\/incidents\/([^/]+)$/, ({ params }) => incident(params[0] ?? "")],
  ["PUT", /^\/incidents\/([^/]+)\/decision$/, ({ params, body, ifMatch }) => decide(params[0] ?? "", body, ifMatch)],
  ["PUT", /^\/incidents\/([^/]+)\/owner$/, ({ params, body, ifMatch }) => give(params[0] ?? "", body, ifMatch)],
  ["GET", /^\/incidents\/([^/]+)\/decisions$/, ({ params }) => ({ body: { items: decisionsOf(params[0] ?? "") } })],
  ["GET", /^\/incidents\/([^/]+)\/notes$/, () => ({ body: { items: [...(fixture("notes") as { items: Json[] }).items, ...notes] } })],
  ["POST", /^\/incidents\/([^/]+)\/notes$/, ({ body }) => note(body)],
  ["GET", /^\/findings$/, ({ query }) => ({ body: findings(query) })],
  ["GET", /^\/findings\/([^/]+)$/, ({ params }) => finding(params[0] ?? "")],
  ["GET", /^\/entities$/, () => ({ body: fixture("entities") })],
  ["GET", /^\/entities\/([^/]+)\/([^/]+)$/, ({ params }) => entity(params[0] ?? "", params[1] ?? "")],
  ["POST", /^\/search$/, ({ body }) => search(body)],
  ["GET", /^\/searches$/, () => ({ body: { items: backgroundSearches(fixture("events") as Json[]), next_cursor: null } })],
  ["POST", /^\/searches$/, ({ body }) => ({ status: 202, body: beginSearch(body) })],
  ["DELETE", /^\/searches\/([^/]+)$/, ({ params }) => (endSearch(params[0] ?? ""), { status: 204 })],
  ["GET", /^\/searches\/([^/]+)\/rows$/, ({ params, query }) => foundRows(params[0] ?? "", Number(query.get("cursor") ?? 0))],
  ["POST", /^\/hunt$/, ({ body }) => hunted(body)],
  ["POST", /^\/rule-hunts\/cost$/, ({ body }) => ruleHuntCost(body, rulesInForce())],
  ["GET", /^\/rule-hunts$/, () => ruleHunts(pastFindings())],
  ["POST", /^\/rule-hunts$/, ({ body }) => beginRuleHunt(body, rulesInForce())],
  ["DELETE", /^\/rule-hunts\/([^/]+)$/, ({ params }) => endRuleHunt(params[0] ?? "")],
  ["GET", /^\/rule-hunts\/([^/]+)\/findings$/, ({ params }) => ruleHuntFindings(params[0] ?? "", pastFindings())],
  ["POST", /^\/rule-hunts\/([^/]+)\/record$/, ({ params }) => recordRuleHunt(params[0] ?? "", pastFindings())],
  ["POST", /^\/reparse\/cost$/, ({ body }) => reparseCost(body)],
  ["GET", /^\/reparse$/, () => reparse()],
  ["POST", /^\/reparse$/, ({ body }) => beginReparse(body)],
  ["DELETE", /^\/reparse$/, () => endReparse()],
  ["POST", /^\/query$/, () => rows(fixture("query-rows") as Json[], { "yagura-query-id": "q-1" })],
  ["POST", /^\/(?:search|query)\/check$/, ({ body }) => ({ body: check(String(body.query ?? "")) })],
  ["POST", /^\/query\/complete$/, () => ({ body: fixture("complete") })],
  ["DELETE", /^\/queries\/[^/]+$/, () => ({ status: 204 })],
  ["POST", /^\/events\/histogram$/, () => ({ body: fixture("histogram") })],
  ["POST", /^\/events\/facets$/, ({ body }) => ({ body: facets(body) })],
  ["GET", /^\/events\/([^/]+)$/, ({ params }) => event(params[0] ?? "")],
  ["GET", /^\/fields$/, () => ({ body: fixture("fields") })],
  ["GET", /^\/saved-searches$/, () => ({ body: fixture("saved-searches") })],
  ["POST", /^\/saved-searches$/, ({ body }) => ({ status: 201, body: { ...body, id: "new", by: "admin", time_dt: new Date().toISOString() } })],
  ["DELETE", /^\/saved-searches\/[^/]+$/, () => ({ status: 204 })],
  ["GET", /^\/rules$/, () => ({ body: { items: rules(), next_cursor: null } })],
  ["GET", /^\/rule-file$/, ({ query }) => ruleFile(query.get("path") ?? "")],
  ["GET", /^\/rules\/([^/]+)$/, ({ params }) => rule(params[0] ?? "")],
  ["GET", /^\/rules\/([^/]+)\/states$/, ({ params }) => ofRule(params[0] ?? "", (one) => ({ body: { items: statesOf(one), next_cursor: null } }))],
  ["PUT", /^\/rules\/([^/]+)\/state$/, ({ params, body, ifMatch }) => switched(params[0] ?? "", body, ifMatch)],
  ["GET", /^\/version$/, () => ({ body: { version: "0.1.0", ocsf: "1.6.0" } })],
  ["GET", /^\/health$/, () => ({ body: { status: "ok", checks: [{ name: "journal", ok: true, detail: "" }] } })],
  ["GET", /^\/notification-channels$/, () => ({ body: channels() })],
  ["GET", /^\/notifications$/, ({ query }) => ({ body: notifications(query.get("status")) })],
  ["POST", /^\/notifications\/([^/]+)\/retry$/, ({ params }) => (retryNotification(params[0] ?? "") ? { status: 204 } : problem(404, "notification_unknown"))],
  ["GET", /^\/tokens$/, () => ({ body: listTokens() })],
  ["POST", /^\/tokens$/, ({ body }) => ({ status: 201, body: addToken(String(body.name)) })],
  ["DELETE", /^\/tokens\/([^/]+)$/, ({ params }) => (removeToken(params[0] ?? "") ? { status: 204 } : problem(404, "token_unknown"))],
];

function problem(status: number, code: string, more: Json = {}): Reply {
  return { status, body: { type: `urn:yagura:${code}`, title: code.replaceAll("_", " "), status, code, detail: "", ...more } };
}

/** Any password but `wrong` signs in. */
function signIn(body: Json): Reply {
  if (body.password === "wrong") return problem(401, "sign_in_refused");
  signedIn = true;
  return { body: fixture("session") };
}

function incidents(query: URLSearchParams): unknown {
  const page = fixture("incidents") as { items: Json[] };
  for (const item of page.items) {
    const newest = decided.get(String(item.id))?.[0];
    if (newest) Object.assign(item, { state: newest.state, verdict: newest.verdict, decided_by: newest.by, owner: newest.owner, version: newest.version });
  }
  const open = page.items.filter((item) => item.state !== "closed" && item.state !== "resolved");
  return { items: query.get("state") === "all" ? page.items : open, next_cursor: null };
}

/** Newest first; `INC-2026-0041` begins with one. */
function decisionsOf(id: string): Json[] {
  return decided.get(id) ?? (id === "INC-2026-0041" ? (fixture("decisions") as { items: Json[] }).items : []);
}

function incident(id: string): Reply {
  const found = (fixture("incidents") as { items: Json[] }).items.find((item) => item.id === id);
  if (!found) return problem(404, "incident_unknown");
  const full = fixture("incident") as Json & { metadata: Json };
  const { title, title_ja, severity_id, outcome, tenant } = found;
  if (id !== full.metadata.uid) Object.assign(full, { title, title_ja, severity_id, outcome, metadata: { ...full.metadata, uid: id, tenant_uid: tenant } });
  const newest = decisionsOf(id)[0];
  if (newest) full.decision = newest;
  return { headers: { etag: etagOf(id) }, body: full };
}

function etagOf(id: string): string {
  return `"d${decisionsOf(id)[0]?.version ?? 0}"`;
}

/** As the server: refused where somebody decided since. A reason of `conflict` lets somebody do so first. */
function decide(id: string, body: Json, ifMatch: string | undefined): Reply {
  const add = (one: Json): Json => {
    const owner = decisionsOf(id)[0]?.owner ?? null;
    const made = { verdict: null, owner, ...one, time_dt: new Date().toISOString(), version: Number(decisionsOf(id)[0]?.version ?? 0) + 1 };
    decided.set(id, [made, ...decisionsOf(id)]);
    return made;
  };
  if (body.reason === "conflict" && ifMatch === etagOf(id)) {
    add({ state: "on_hold", verdict: "suspicious", reason: "Waiting for the memory image of web-tokyo-2.", by: "k.ito" });
  }
  if (ifMatch !== etagOf(id)) return problem(412, "decision_changed");
  return { body: add({ ...body, by: "admin" }) };
}

/** As the server: `k.ito` is quicker where somebody gives an incident to `conflict`. */
function give(id: string, body: Json, ifMatch: string | undefined): Reply {
  const before = decisionsOf(id)[0];
  const add = (owner: unknown, by: string): Json => {
    const { state = "new", verdict = null } = decisionsOf(id)[0] ?? {};
    const made = { state, verdict, reason: "", by, time_dt: new Date().toISOString(), owner, version: Number(decisionsOf(id)[0]?.version ?? 0) + 1 };
    decided.set(id, [made, ...decisionsOf(id)]);
    return made;
  };
  if (body.owner === "conflict" && before?.by !== "k.ito") add("k.ito", "k.ito");
  if (ifMatch !== etagOf(id)) return problem(412, "decision_changed");
  return { body: add(body.owner, "admin") };
}

function note(body: Json): Reply {
  const made = { id: `n${notes.length + 10}`, text: body.text, by: "admin", time_dt: new Date().toISOString() };
  notes.push(made);
  return { status: 201, body: made };
}

type FixtureFinding = Json & { finding_info: { uid: string; analytic: { uid: string } } };

function findings(query: URLSearchParams): unknown {
  const page = fixture("findings") as { items: FixtureFinding[] };
  const rule = query.get("rule");
  return { items: page.items.filter((item) => !rule || item.finding_info.analytic.uid === rule), next_cursor: null };
}

function finding(id: string): Reply {
  const found = (fixture("findings") as { items: FixtureFinding[] }).items.find((item) => item.finding_info.uid === id);
  return found ? { body: { ...found, incidents: ["INC-2026-0042"] } } : problem(404, "finding_unknown");
}

function entity(kind: string, value: string): Reply {
  const full = fixture("entity") as Json & { standing: Json };
  return { body: { ...full, kind, value, standing: { ...full.standing, entity: { kind, value } } } };
}

function search(body: Json): Reply {
  const query = String(body.query ?? "");
  const checked = check(query);
  if (checked.problem) {
    const { code, message, start, end, help } = checked.problem;
    return problem(400, code, { detail: message, position: { start, end, text: query.slice(start, end), help } });
  }
  const events = fixture("events") as Json[];
  const wanted = query.toLowerCase().replace(/\b(?:earliest|latest):\S+|(?<=^|[\s(])-\S+|[\w.]+:/g, " ").replace(/[^\p{L}\p{N}. ]/gu, " ").split(/\s+/).filter((word) => word.length > 3);
  const found = events.filter((one) => wanted.every((word) => JSON.stringify(one).toLowerCase().includes(word)));
  const shown = found.slice(0, Number(body.limit ?? 1_000));
  const columns = body.columns;
  return rows(typeof columns === "string" ? shown.map((one) => flat(one, columns)) : shown, {
    "yagura-search-stats": JSON.stringify({ events: shown.length, more: found.length > shown.length, files: 12, pruned: 9, took_ms: 7 }),
  });
}

function check(query: string): { ok: boolean; problem: { code: string; message: string; start: number; end: number; help: string | null } | null } {
  const open = query.split('"').length % 2 === 0;
  if (!open) return { ok: true, problem: null };
  const start = query.lastIndexOf('"');
  return { ok: false, problem: { code: "unclosed_quote", message: "the quote is not closed", start, end: query.length, help: "write a second quote" } };
}

function foundRows(id: string, cursor: number): Reply {
  const found = jobRows(id, cursor, fixture("events") as Json[]);
  return found ? rows(found.rows, { "yagura-next-cursor": String(found.next) }) : problem(404, "search_unknown");
}

function hunted(body: Json): Reply {
  const { lines, refused, stats } = hunt(body, Date.now());
  if (body.format === "json") return { body: { lines, refused, stats } };
  return rows(lines, { "yagura-hunt-stats": JSON.stringify(stats) });
}

function rows(items: Json[], headers: Record<string, string>): Reply {
  return { type: "application/x-ndjson", headers, body: items.map((item) => `${JSON.stringify(item)}\n`).join("") };
}

function facets(body: Json): unknown {
  const all = fixture("facets") as { total: number; facets: { field: string }[] };
  const wanted = (body.fields as string[] | undefined) ?? [];
  return { ...all, facets: wanted.map((field) => all.facets.find((f) => f.field === field) ?? { field, distinct: 0, values: [] }) };
}

function event(id: string): Reply {
  const full = fixture("event") as Json & { event: Json };
  const found = (fixture("events") as (Json & { metadata: { uid: string }; raw_data: string })[]).find((one) => one.metadata.uid === id);
  if (!found || found.metadata.uid === (full.event.metadata as { uid: string }).uid) return { body: full };
  const { log_name: source, feed, tenant_uid: tenant } = found.metadata as Json;
  return { body: { event: found, raw_data: found.raw_data, source, feed, tenant, spans: spansOf(found, found.raw_data), findings: [] } };
}

type FixtureRule = Json & Parameters<typeof ruleText>[1] & Parameters<typeof withState>[0];

function rules(): FixtureRule[] {
  return (fixture("rules") as { items: FixtureRule[] }).items.map(withState);
}

function ofRule(id: string, reply: (rule: FixtureRule) => Reply): Reply {
  const found = (fixture("rules") as { items: FixtureRule[] }).items.find((one) => one.id === id);
  return found ? reply(found) : problem(404, "rule_unknown");
}

function rule(id: string): Reply {
  const rest = fixture("rule") as Json & { text: string };
  return ofRule(id, (one) => ({ headers: { etag: ruleTag(one) }, body: { ...rest, ...withState(one), text: ruleText(rest.text, one) } }));
}

function ruleFile(at: string): Reply {
  const { text } = fixture("rule") as { text: string };
  const found = rules().find((one) => one.path === at);
  return found ? { body: { path: at, text: ruleText(text, found), truncated: false } } : problem(404, "rule_file_unknown");
}

function switched(id: string, body: Json, ifMatch: string | undefined): Reply {
  return ofRule(id, (one) => {
    const made = switchRule(one, body, ifMatch);
    return made ? { body: made } : problem(412, "rule_state_changed");
  });
}

function rulesInForce(): (FixtureRule & { level: string })[] {
  return rules().filter((one) => one.error === null) as ReturnType<typeof rulesInForce>;
}

/** What every run finds: the fixtures' findings, the oldest first. */
function pastFindings(): Json[] {
  return [...(fixture("findings") as { items: Json[] }).items].reverse();
}
