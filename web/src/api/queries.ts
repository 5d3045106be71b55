// What pages ask the server: keys and functions for TanStack Query, one factory a resource.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { type Query, request, requestTagged, segment, setCsrfToken } from "./client";
import { ApiProblem } from "./problem";
import type {
  BackgroundSearch,
  Decision,
  EntityDetail,
  EntitySummary,
  EventDetail,
  Facets,
  Feed,
  FieldInfo,
  Finding,
  Health,
  Histogram,
  Incident,
  IncidentSummary,
  Note,
  Notification,
  NotificationChannel,
  Overview,
  Page,
  PastFinding,
  Reparse,
  RuleDetail,
  RuleFile,
  RuleHunt,
  RuleSummary,
  RuleSwitch,
  SavedSearch,
  Session,
  Token,
  Version,
} from "./types";

/** First parts of the keys; the live stream invalidates by them. */
export const keys = {
  session: ["session"],
  overview: ["overview"],
  feeds: ["feeds"],
  incidents: ["incidents"],
  findings: ["findings"],
  entities: ["entities"],
  rules: ["rules"],
  ruleHunts: ["rule-hunts"],
  reparse: ["reparse"],
  notifications: ["notifications"],
} as const;

/** The most that the server lists of a field's values. */
const SOURCES_MAX = 50;

/** Most items that the server puts into a page. */
const PAGE_MAX = 10_000;

export function sessionQuery() {
  return queryOptions({
    queryKey: keys.session,
    queryFn: async ({ signal }) => {
      const session = await request<Session>("GET", "/session", { signal });
      setCsrfToken(session.csrf_token);
      return session;
    },
    staleTime: 5 * 60_000,
    retry: false,
  });
}

export function overviewQuery() {
  return get<Overview>(keys.overview, "/overview");
}

export function feedsQuery() {
  return whole<Feed>(keys.feeds, "/feeds");
}

export function incidentsQuery(state: "open" | "all" = "open") {
  return pages<IncidentSummary>([...keys.incidents, "list", state], "/incidents", { view: "summary", state, limit: 1_000 });
}

/** The newest open incidents, for the palette. */
export function recentIncidentsQuery() {
  return get<Page<IncidentSummary>>([...keys.incidents, "recent"], "/incidents", { view: "summary", state: "open", limit: 20 });
}

/** An incident and the ETag that a decision on it must carry; every tenant numbers its own. */
export function incidentQuery(id: string, tenant?: string) {
  return queryOptions({
    queryKey: [...keys.incidents, "one", id, tenant],
    queryFn: ({ signal }) => requestTagged<Incident>(`/incidents/${segment(id)}`, { signal, query: of(tenant) }),
  });
}

export function decisionsQuery(id: string, tenant?: string) {
  return whole<Decision>([...keys.incidents, "decisions", id, tenant], `/incidents/${segment(id)}/decisions`, of(tenant));
}

export function notesQuery(id: string, tenant?: string) {
  return whole<Note>([...keys.incidents, "notes", id, tenant], `/incidents/${segment(id)}/notes`, of(tenant));
}

export function findingsQuery(filter: { rule?: string; level?: string; since?: string; until?: string } = {}) {
  return pages<Finding>([...keys.findings, "list", filter], "/findings", { ...filter, limit: 200 });
}

export function findingQuery(id: string) {
  return get<Finding>([...keys.findings, "one", id], `/findings/${segment(id)}`);
}

export function entitiesQuery(filter: { kind?: string; verdict?: string } = {}) {
  return get<Page<EntitySummary>>([...keys.entities, "list", filter], "/entities", { ...filter, limit: 10_000 });
}

export function entityQuery(kind: string, value: string, tenant?: string) {
  return get<EntityDetail>([...keys.entities, "one", kind, value, tenant], `/entities/${segment(kind)}/${segment(value)}`, of(tenant));
}

export function eventQuery(id: string) {
  return get<EventDetail>(["event", id], `/events/${segment(id)}`);
}

export function histogramQuery(body: { query: string; bins?: number; from_dt?: string; until_dt?: string }) {
  return post<Histogram>(["histogram", body], "/events/histogram", body);
}

export function facetsQuery(body: { query: string; fields: string[]; top?: number }) {
  return post<Facets>(["facets", body], "/events/facets", body);
}

export function fieldsQuery() {
  return queryOptions({ ...get<{ items: FieldInfo[] }>(["fields"], "/fields"), staleTime: Infinity });
}

export function backgroundSearchesQuery() {
  return get<{ items: BackgroundSearch[] }>(["searches"], "/searches");
}

export function savedSearchesQuery() {
  return whole<SavedSearch>(["saved-searches"], "/saved-searches");
}

export function rulesQuery() {
  return whole<RuleSummary>([...keys.rules, "list"], "/rules");
}

/** A rule and the ETag that a switch of it must carry. */
export function ruleQuery(id: string) {
  return queryOptions({
    queryKey: [...keys.rules, "one", id],
    queryFn: ({ signal }) => requestTagged<RuleDetail>(`/rules/${segment(id)}`, { signal }),
  });
}

/** The text of a file that rules are read from, by the path that a rule of the list names. */
export function ruleFileQuery(path: string) {
  return get<RuleFile>([...keys.rules, "file", path], "/rule-file", { path });
}

/** Who switched a rule off and on, newest first. */
export function ruleStatesQuery(id: string) {
  return whole<RuleSwitch>([...keys.rules, "states", id], `/rules/${segment(id)}/states`);
}

/** The runs of rules over the past that are kept, the newest first. */
export function ruleHuntsQuery() {
  return get<Page<RuleHunt>>([...keys.ruleHunts, "list"], "/rule-hunts");
}

/** What a run has found, by first time. */
export function ruleHuntFindingsQuery(id: string) {
  return pages<PastFinding>([...keys.ruleHunts, "findings", id], `/rule-hunts/${segment(id)}/findings`, { limit: 200 });
}

/** The last run in which records were parsed again; `null` where there was none since the server started. */
export function reparseQuery() {
  return queryOptions({
    queryKey: keys.reparse,
    queryFn: ({ signal }) =>
      request<Reparse>("GET", "/reparse", { signal }).catch((error: unknown) => {
        if (error instanceof ApiProblem && error.code === "reparse_none") return null;
        throw error;
      }),
  });
}

/** The sources of all events of all tenants, with their counts. */
export function sourcesQuery() {
  return queryOptions({
    queryKey: ["sources"],
    queryFn: ({ signal }) =>
      request<Facets>("POST", "/events/facets", { signal, query: { tenant: undefined }, body: { query: "", fields: ["source"], top: SOURCES_MAX } }),
    staleTime: 60_000,
  });
}

/** The tokens of programs, without their secrets. */
export function tokensQuery() {
  return whole<Token>(["tokens"], "/tokens");
}

/** The newest notifications of a status. */
export function notificationsQuery(status: Notification["status"]) {
  return get<Page<Notification>>([...keys.notifications, status], "/notifications", { status });
}

export function notificationChannelsQuery() {
  return get<Page<NotificationChannel>>([...keys.notifications, "channels"], "/notification-channels");
}

export function versionQuery() {
  return queryOptions({ ...get<Version>(["version"], "/version"), staleTime: Infinity });
}

export function healthQuery() {
  return get<Health>(["health"], "/health");
}

/** A tenant named for one thing, whatever the page is about otherwise. */
function of(tenant: string | undefined): Query {
  return tenant === undefined ? {} : { tenant };
}

function get<T>(queryKey: readonly unknown[], path: string, query?: Query) {
  return queryOptions({
    queryKey,
    queryFn: ({ signal }) => request<T>("GET", path, { signal, ...(query && { query }) }),
  });
}

/** All of a list that is asked for in pages: nothing of it is cut. */
function whole<T>(queryKey: readonly unknown[], path: string, query: Query = {}) {
  return queryOptions({
    queryKey,
    queryFn: async ({ signal }) => {
      const items: T[] = [];
      let cursor: string | null = null;
      do {
        const page: Page<T> = await request<Page<T>>("GET", path, { signal, query: { ...query, limit: PAGE_MAX, cursor } });
        items.push(...page.items);
        cursor = page.next_cursor;
      } while (cursor);
      return { items, next_cursor: null } satisfies Page<T>;
    },
  });
}

function post<T>(queryKey: readonly unknown[], path: string, body: unknown) {
  return queryOptions({ queryKey, queryFn: ({ signal }) => request<T>("POST", path, { signal, body }) });
}

function pages<T>(queryKey: readonly unknown[], path: string, query: Query) {
  return infiniteQueryOptions({
    queryKey,
    queryFn: ({ signal, pageParam }) =>
      request<Page<T>>("GET", path, { signal, query: { ...query, cursor: pageParam } }),
    initialPageParam: null as string | null,
    getNextPageParam: (last: Page<T>) => last.next_cursor,
  });
}
