// The mock's runs of rules over the past: a few seconds each, with the fixtures' findings as what they found.
import type { Reply } from "./mock-routes.ts";

type Json = Record<string, unknown>;
type Rule = Json & { id: string; title: string; level: string; kind: string };
type Found = Json & { finding_info: Json & { uid: string; title: string; analytic: Json }; metadata: Json; message: string };

interface Run {
  number: number;
  asked: Json;
  rules: Json[];
  beganMs: number;
  recorded: number | null;
}

const FILES = 48;
const PASSED_OVER = 31;
const RECORDS = 5_214_330;
const RUN_MS = 6_000;
/** Findings that the platform has already. */
const KNOWN = 2;
const runs: Run[] = [];

/** A refusal, or what it would read. */
export function ruleHuntCost(body: Json, inForce: Rule[]): Reply {
  const rules = rulesOf(body, inForce);
  return "status" in rules ? rules : { body: costOf(rules.rules) };
}

export function beginRuleHunt(body: Json, inForce: Rule[]): Reply {
  const rules = rulesOf(body, inForce);
  if ("status" in rules) return rules;
  const run = { number: (runs[0]?.number ?? 0) + 1, asked: body, rules: rules.rules, beganMs: Date.now(), recorded: null };
  runs.unshift(run);
  return { status: 202, body: stateOf(run, 0) };
}

export function ruleHunts(findings: Json[]): Reply {
  return { body: { items: runs.map((run) => stateOf(run, findings.length)), next_cursor: null } };
}

export function endRuleHunt(id: string): Reply {
  const at = runs.findIndex((run) => `r${run.number}` === id);
  if (at < 0) return refusal(404, "rule_hunt_unknown", `there is no run ${id}`);
  runs.splice(at, 1);
  return { status: 204 };
}

export function ruleHuntFindings(id: string, findings: Json[]): Reply {
  const run = runs.find((one) => `r${one.number}` === id);
  if (!run) return refusal(404, "rule_hunt_unknown", `there is no run ${id}`);
  const items = (findings as Found[]).map((finding, i) => ({ finding: retrospective(finding, run.rules[0] as Rule), known: run.recorded !== null || i < KNOWN }));
  return { body: { items: isDone(run) ? items : [], next_cursor: null } };
}

export function recordRuleHunt(id: string, findings: Json[]): Reply {
  const run = runs.find((one) => `r${one.number}` === id);
  if (!run) return refusal(404, "rule_hunt_unknown", `there is no run ${id}`);
  if (!isDone(run)) return refusal(400, "rule_hunt_record", "only a run that is done has something to record");
  if (run.recorded !== null) return refusal(400, "rule_hunt_record", "what this run found is recorded already");
  run.recorded = findings.length - KNOWN;
  return { status: 202, body: { recorded: run.recorded, known: KNOWN } };
}

function rulesOf(body: Json, inForce: Rule[]): { rules: Json[] } | Reply & { status: number } {
  const ids = (body.ids as string[] | undefined) ?? [];
  if (ids.length > 0) {
    const unknown = ids.find((id) => !inForce.some((rule) => rule.id === id));
    if (unknown) return refusal(404, "rule_unknown", `there is no rule ${unknown} in force`);
    return { rules: inForce.filter((rule) => ids.includes(rule.id)).map(({ id, title, level, kind }) => ({ id, title, level, kind, version: "1f" })) };
  }
  const text = String(body.rules ?? "");
  const fault = faultOf(text);
  if (fault) return refusal(400, "rule_invalid", fault);
  const documents = text.split(/^---\s*$/m).filter((part) => part.trim() !== "");
  return {
    rules: documents.map((part, i) => ({
      id: valueOf(part, "id") || `rule-${i}`,
      title: valueOf(part, "title"),
      level: valueOf(part, "level") || "informational",
      kind: valueOf(part, "  type") || "rule",
      version: "2e",
    })),
  };
}

/** Of all that the server finds, two things. */
function faultOf(text: string): string | null {
  if (!/^(?:detection|correlation):/m.test(text)) return "line 1: the document has neither `detection` nor `correlation` (rule_invalid)";
  const line = text.split("\n").findIndex((one) => /^ {2}condition: *\w+$/.test(one));
  const named = /condition: *(\w+)/.exec(text.split("\n")[line] ?? "")?.[1];
  if (line < 0 || !named || text.includes(`\n  ${named}:`)) return null;
  return `line ${line + 1}: the condition names \`${named}\`, which is no selection (rule_condition)`;
}

function valueOf(text: string, key: string): string {
  return new RegExp(`^${key}: *(.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
}

function costOf(rules: Json[]): Json {
  return { rules, sources: ["apache_access", "nginx_access", "squid"], files: FILES, files_passed_over: PASSED_OVER, records: RECORDS, bytes: 1_288_490_189 };
}

function isDone(run: Run): boolean {
  return Date.now() - run.beganMs >= RUN_MS;
}

function stateOf(run: Run, findings: number): Json {
  const share = Math.min(1, (Date.now() - run.beganMs) / RUN_MS);
  const done = share === 1;
  return {
    id: `r${run.number}`,
    state: done ? "done" : share < 0.1 ? "waiting" : "running",
    tenant: null,
    from: run.asked.from ?? null,
    until: run.asked.until ?? null,
    cost: costOf(run.rules),
    files_done: PASSED_OVER + Math.floor((FILES - PASSED_OVER) * share),
    records: Math.floor(RECORDS * 0.4 * share),
    matches: Math.floor(412 * share),
    findings: done ? findings : 0,
    findings_kept: done ? findings : 0,
    recorded: run.recorded,
    ms: Math.round(RUN_MS * share),
    by: "admin",
    time_dt: new Date(run.beganMs).toISOString(),
    code: null,
    detail: null,
  };
}

function retrospective(finding: Found, rule: Rule): Json {
  const title = `${rule.title || rule.id}`;
  const info = { ...finding.finding_info, title, analytic: { ...finding.finding_info.analytic, uid: rule.id, name: title } };
  return { ...finding, message: title, finding_info: info, metadata: { ...finding.metadata, labels: ["retrospective"] } };
}

function refusal(status: number, code: string, detail: string): Reply & { status: number } {
  return { status, body: { type: "about:blank", title: code.replaceAll("_", " "), status, code, detail } };
}
