// Which rules are shown, coverage and noise.
import { expect, test } from "vitest";
import type { RuleSummary } from "@/api/types";
import { countsByState, coverageOf, isNoisy, keyOf, noiseOf, type RuleFilter, rulesShown, sortOf, sortText, sourceText, stateOf, tacticsOf, techniquesOf, TACTICS, whyAlwaysOn } from "./rules";

function rule(more: Partial<RuleSummary>): RuleSummary {
  return {
    id: "r",
    title: "",
    level: "high",
    kind: "rule",
    status: "test",
    path: "rules/r.yml",
    line: 1,
    enabled: true,
    switched: null,
    feeds: [],
    only_feeds: false,
    logsource: null,
    tags: [],
    findings: 0,
    matches: 0,
    incidents: 0,
    last_time_dt: null,
    error: null,
    ...more,
  };
}

const rules = [
  rule({ id: "a", title: "Web shell", tags: ["attack.initial-access", "attack.t1505.003"], findings: 30 }),
  rule({ id: "b", title: "Beacon", level: "medium", tags: ["attack.command_and_control", "attack.execution"] }),
  rule({ id: "", level: "" as never, path: "x.yml", tags: ["attack.execution"], error: { code: "yaml", message: "no", line: 7 } }),
];
const ALL: RuleFilter = { text: "", level: undefined, state: undefined, tactic: undefined };

test("tags name tactics in both spellings, and techniques", () => {
  expect(TACTICS).toHaveLength(14);
  expect(tacticsOf(rules[1]!)).toEqual(["execution", "command-and-control"]);
  expect(techniquesOf(rules[0]!)).toEqual(["T1505.003"]);
});

test("rules that could not be read have a name, too", () => {
  expect(rules.map(keyOf)).toEqual(["a", "b", "x.yml:7:yaml"]);
  // The second of two rules with one id is not loaded.
  expect(keyOf(rule({ id: "a", path: "y.yml", line: 3, error: { code: "rule_duplicate", message: "no", line: null } }))).toBe("y.yml:3:rule_duplicate");
});

test("filters narrow together", () => {
  const ids = (filter: Partial<RuleFilter>) => rulesShown(rules, { ...ALL, ...filter }).map((one) => one.id);
  expect(ids({})).toEqual(["a", "b", ""]);
  expect(ids({ text: "SHELL web" })).toEqual(["a"]);
  expect(ids({ level: "medium" })).toEqual(["b"]);
  expect(ids({ state: "broken" })).toEqual([""]);
  expect(ids({ tactic: "execution", state: "silent" })).toEqual(["b"]);
  expect(countsByState(rules, { ...ALL, state: "fired" })).toEqual({ fired: 1, silent: 1, off: 0, broken: 1 });
});

test("a rule that is off is neither fired nor silent, and one that is broken stays so", () => {
  expect(stateOf(rule({ enabled: false, findings: 3 }))).toBe("off");
  expect(stateOf(rule({ enabled: false, error: { code: "yaml", message: "no", line: 7 } }))).toBe("broken");
  const off = [...rules, rule({ id: "c", enabled: false, tags: ["attack.execution"] })];
  expect(rulesShown(off, { ...ALL, state: "off" }).map((one) => one.id)).toEqual(["c"]);
  expect(coverageOf(off).find((one) => one.tactic === "execution")?.rules).toBe(1);
});

test("what would go on as before cannot be switched off, and everything can be switched on", () => {
  expect(whyAlwaysOn(rule({}))).toBeUndefined();
  expect(whyAlwaysOn(rule({ kind: "filter" }))).toBe("filter");
  expect(whyAlwaysOn(rule({ only_feeds: true }))).toBe("feeds");
  expect(whyAlwaysOn(rule({ only_feeds: true, enabled: false }))).toBeUndefined();
});

test("coverage leaves out what could not be loaded", () => {
  const of = (tactic: string) => coverageOf(rules).find((one) => one.tactic === tactic);
  expect(of("execution")).toEqual({ tactic: "execution", rules: 1, findings: 0 });
  expect(of("initial-access")).toEqual({ tactic: "initial-access", rules: 1, findings: 30 });
  expect(of("impact")?.rules).toBe(0);
});

test("noise is a share of all findings, and few findings are no noise", () => {
  expect(noiseOf(rules[0]!, 60)).toBe(0.5);
  expect(noiseOf(rules[0]!, 0)).toBe(0);
  expect(isNoisy(rules[0]!, 60)).toBe(true);
  expect(isNoisy(rule({ findings: 5 }), 5)).toBe(false);
});

test("orders and sources as text", () => {
  expect(sortOf("-findings")).toEqual({ id: "findings", desc: true });
  expect(sortText(sortOf("title"))).toBe("title");
  expect(sortText(undefined)).toBeUndefined();
  expect(sourceText({ logsource: { product: "linux", category: null, service: "sshd" } })).toBe("linux / sshd");
  expect(sourceText({ logsource: null })).toBe("");
});
