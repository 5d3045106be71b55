// The OCSF shapes of findings and incidents, by hand: the API's document leaves them open.
import type { Decision, EntityKind, Outcome, Principal, Severity, Verdict3 } from "./types";

export interface EntityName {
  type: EntityKind;
  value: string;
}

export interface TimelineStep {
  time: number;
  time_dt: string;
  last_time_dt: string;
  finding: string;
  rule: string;
  title: string;
  level: Severity;
  count: number;
  tactics: string[];
  outcome: Outcome;
  entities: EntityName[];
}

export interface IncidentEvidence {
  uid: string;
  name: string;
  data: {
    time: number;
    time_dt: string;
    source: string;
    feed: string;
    findings: string[];
    rules: string[];
    fields: Record<string, string>;
  };
  raw_data: string;
}

export interface Contribution {
  finding: string;
  title: string;
  level: Severity;
  /** Nats before discounts. */
  llr: number;
  /** Nats added. */
  added: number;
  reason: string;
}

/** The verdict on an entity and the waterfall behind it; `as_of` in microseconds. */
export interface Standing {
  entity: { kind: EntityKind; value: string };
  as_of: number;
  prior: number;
  direct: number;
  flow: number;
  posterior: number;
  probability: number;
  verdict: Verdict3;
  waterfall: Contribution[];
}

export interface FindingLink {
  a: string;
  b: string;
  strength: number;
  via: string;
}

export interface Attack {
  tactic?: { uid: string; name: string };
  tactics?: { uid: string; name: string }[];
  technique?: { uid: string };
  sub_technique?: { uid: string };
}

export interface Metadata {
  version: string;
  uid: string;
  tenant_uid: string;
  sequence: number;
  /** `retrospective` where a rule was run over the past for it. */
  labels?: string[];
}

/** OCSF Incident Finding (class 2005) with the decision beside it. */
export interface Incident {
  class_uid: number;
  time: number;
  time_dt: string;
  severity_id: number;
  severity: string;
  metadata: Metadata;
  title: string;
  title_ja: string;
  desc: string;
  desc_ja: string;
  start_time_dt: string;
  end_time_dt: string;
  opened_time: number;
  opened_time_dt: string;
  status: string;
  merged_into?: string;
  is_suspected_breach: boolean;
  outcome: Outcome;
  attacks: Attack[];
  principals: Principal[];
  timeline: TimelineStep[];
  evidences: IncidentEvidence[];
  links: FindingLink[];
  standings: Standing[];
  decision: Decision;
}

export interface FindingEvidence {
  uid: string;
  name: string;
  data: { time: number; time_dt: string; source: string; feed: string; rule: string; fields: Record<string, string> };
  raw_data: string;
}

/** OCSF Detection Finding (class 2004). */
export interface Finding {
  class_uid: number;
  time: number;
  time_dt: string;
  severity_id: number;
  severity: string;
  metadata: Metadata;
  message: string;
  count: number;
  start_time_dt: string;
  end_time_dt: string;
  finding_info: {
    uid: string;
    title: string;
    analytic: { uid: string; name: string; type_id: number; type: string; version?: string };
    attacks: Attack[];
    first_seen_time_dt: string;
    last_seen_time_dt: string;
    tags: { name: string }[];
  };
  evidences: FindingEvidence[];
  observables: { name: string; type_id: number; type: string; value: string }[];
  unmapped: { group: unknown; kind: string; outcome: Outcome; lsn: number };
  incidents?: string[];
}

/** An event as nested OCSF JSON. */
export type OcsfEvent = Record<string, unknown>;
