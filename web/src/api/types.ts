// The API's shapes: from schema.d.ts, with the words that the document lists only in descriptions.
import type { Finding, OcsfEvent, Standing } from "./ocsf";
import type { components } from "./schema";

export type * from "./ocsf";

type Schemas = components["schemas"];

/** A shape as it is sent: what may be null is null, never absent. */
type Sent<T> = T extends (infer U)[]
  ? Sent<U>[]
  : T extends object
    ? { [K in keyof T]-?: Sent<Exclude<T[K], undefined>> }
    : T;

/** A shape with narrower members; a member that the document does not know, or knows otherwise, is an error. */
type Narrow<T, N extends { [K in keyof N]: K extends keyof T ? T[K] : never }> = Omit<T, keyof N> & N;

export type Severity = "informational" | "low" | "medium" | "high" | "critical";
export type Verdict3 = "white" | "grey" | "black";
export type Outcome = "attempted" | "blocked" | "succeeded" | "unknown";
export type IncidentState = Schemas["CaseState"];
export type IncidentVerdict = Schemas["CaseVerdict"];
export type EntityKind = "host" | "user" | "ip" | "domain";
export type PrincipalRole =
  | "victim_host"
  | "compromised_account"
  | "attacker_address"
  | "destination"
  | "targeted_host";

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export type Session = Sent<Schemas["Session"]>;
export type Token = Sent<Schemas["Token"]>;
export type RuleFile = Sent<Schemas["RuleFile"]>;
export type NewToken = Sent<Schemas["NewToken"]>;

export type Books = Sent<Schemas["BookSums"]>;
export type Feed = Sent<Schemas["Feed"]>;
export type BooksHour = Sent<Schemas["BookRow"]>;
export type Latency = Sent<Schemas["Latency"]>;

export type DiskStage = "ample" | "low" | "compaction_stopped" | "input_refused";
export type MemoryName = "inflight" | "tail" | "queries" | "process";
export type DiskState = Narrow<Sent<Schemas["DiskState"]>, { stage: DiskStage }>;
export type MemoryUse = Narrow<Sent<Schemas["MemoryUse"]>, { name: MemoryName }>;
export type PipelineState = Sent<Schemas["PipelineState"]>;

export type Overview = Narrow<
  Sent<Schemas["Overview"]>,
  { attention: IncidentSummary[]; memory: MemoryUse[]; disk: DiskState; feeds: Feed[]; pipeline: PipelineState }
>;

export type Principal = Narrow<
  Sent<Schemas["PrincipalView"]>,
  { type: EntityKind; role: PrincipalRole; verdict: Verdict3 }
> & {
  /** Direct evidence in nats; only in the incident itself. */
  evidence?: number;
};

export type IncidentSummary = Narrow<
  Sent<Schemas["IncidentSummary"]>,
  { severity: Severity; outcome: Outcome; principals: Principal[] }
>;

export type Decision = Sent<Schemas["Decision"]>;
export type Note = Sent<Schemas["Note"]>;

export type EntitySummary = Narrow<Sent<Schemas["EntitySummary"]>, { kind: EntityKind; verdict: Verdict3 }>;
export type FindingSummary = Narrow<Sent<Schemas["FindingSummary"]>, { level: Severity }>;
export type EntityDetail = Narrow<
  Sent<Schemas["EntityView"]>,
  { kind: EntityKind; standing: Standing | null; findings: FindingSummary[]; incidents: IncidentSummary[] }
>;

export interface SearchStats {
  events: number;
  more: boolean;
  files: number;
  pruned: number;
  took_ms: number;
}

export type Histogram = Sent<Schemas["Histogram"]>;
export type Facets = Sent<Schemas["Facets"]>;

/** Where a value stands in the raw record, in UTF-16 offsets. */
export type FieldSpan = Sent<Schemas["SpanView"]>;
export type EventDetail = Narrow<Sent<Schemas["EventView"]>, { event: OcsfEvent; findings: FindingSummary[] }>;
export type FieldInfo = Sent<Schemas["FieldView"]>;
export type QueryCheck = Sent<Schemas["Checked"]>;
export type Completions = Sent<Schemas["Completions"]>;
export type SavedSearch = Narrow<Sent<Schemas["SavedSearch"]>, { language: Schemas["SearchLanguage"] }>;

/** What a channel was told of an incident, is to be told, or could not be told. */
export type Notification = Narrow<
  Sent<Schemas["Notification"]>,
  { kind: "mail" | "webhook"; severity: Severity; status: "pending" | "sent" | "dead" }
>;
export type NotificationChannel = Sent<Schemas["ChannelState"]>;

/** A search in the background. */
export interface BackgroundSearch {
  id: string;
  query: string;
  state: "waiting" | "running" | "done" | "full" | "failed" | "cancelled";
  files: number;
  files_done: number;
  files_passed_over: number;
  events: number;
  ms: number;
  tenant?: string;
  code?: string;
  detail?: string;
}

/** A line of a hunt's answer. */
export interface HuntLine {
  indicator: string;
  type: string;
  list: string;
  name: string;
  seen: string;
  as: string;
  tenant: string;
  source: string;
  events: number;
  first: string;
  last: string;
  /** The search that shows the events. */
  search: string;
}

/** An entry of a hunt's lists that the server refused. */
export type HuntRefusal = Sent<Schemas["HuntRefusal"]>;
export type HuntAnswer = Narrow<Sent<Schemas["HuntAnswer"]>, { lines: HuntLine[] }>;

/** A rule that is run over the past. */
export type HuntedRule = Narrow<Sent<Schemas["HuntedRule"]>, { level: Severity }>;
/** What running rules over the past would read. */
export type RuleHuntCost = Narrow<Sent<Schemas["RuleHuntCost"]>, { rules: HuntedRule[] }>;
export type RuleHuntRequest = Schemas["RuleHuntRequest"];
/** A run of rules over the past. */
export type RuleHunt = Narrow<
  Sent<Schemas["RuleHunt"]>,
  { state: "waiting" | "running" | "done" | "full" | "failed" | "cancelled"; cost: RuleHuntCost }
>;
/** A finding of a run, and whether it is among the platform's already. */
export type PastFinding = Narrow<Sent<Schemas["PastFinding"]>, { finding: Finding }>;
/** What was put among the findings of the platform, and how many were there. */
export type Recorded = Sent<Schemas["Recorded"]>;

/** What parsing records again comes to, and which it is asked of. */
export type ReparseCost = Sent<Schemas["ReparseCost"]>;
export type ReparseRequest = Sent<Schemas["ReparseRequest"]>;
/** A run in which records are parsed again. */
export type Reparse = Narrow<Sent<Schemas["Reparse"]>, { state: "waiting" | "running" | "done" | "failed" | "cancelled" }>;

export interface LogSource {
  product?: string | null;
  category?: string | null;
  service?: string | null;
}
export type RuleProblem = Sent<Schemas["RuleProblem"]>;
export type RuleSummary = Narrow<Sent<Schemas["RuleSummary"]>, { level: Severity; logsource: LogSource | null }>;
/** What somebody decided about a rule. */
export type RuleSwitch = Sent<Schemas["RuleState"]>;
export type RuleDetail = Narrow<Sent<Schemas["RuleView"]>, { level: Severity; logsource: LogSource | null }>;

export type Version = Sent<Schemas["Version"]>;
export type Health = Narrow<Sent<Schemas["Health"]>, { status: "ok" | "degraded" }>;
