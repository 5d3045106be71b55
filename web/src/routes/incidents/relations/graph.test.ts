// The layout of relations: bounded, complete in its counts, and the same every time.
import { expect, test } from "vitest";
import type { EntityName, TimelineStep } from "@/api/types";
import { COLUMN_NODES_MAX, NODES_MAX, relationIn, relationsOf } from "./graph";

function step(finding: string, entities: EntityName[]): TimelineStep {
  const time = "2026-11-26T05:00:00Z";
  return { time: 0, time_dt: time, last_time_dt: time, finding, rule: "r", title: "t", level: "high", count: 1, tactics: [], outcome: "unknown", entities };
}

const host = (value: string): EntityName => ({ type: "host", value });
const domain = (value: string): EntityName => ({ type: "domain", value });
const user = (value: string): EntityName => ({ type: "user", value });

test("columns go by role, else by kind, and empty ones are left out", () => {
  const attacker = { type: "ip", value: "192.0.2.1", role: "attacker_address", verdict: "black", probability: 1, evidence: 3 } as const;
  const { nodes, columns, edges } = relationsOf([step("f", [host("a"), { type: "ip", value: "192.0.2.1" }])], [attacker], []);
  expect(columns).toEqual(["sources", "hosts"]);
  expect(nodes.map((node) => [node.key, node.column, node.role])).toEqual([
    ["ip:192.0.2.1", 0, "attacker_address"],
    ["host:a", 1, null],
  ]);
  expect(edges).toEqual([{ a: "host:a", b: "ip:192.0.2.1", findings: ["f"], via: [] }]);
});

test("addresses without a role stand among hosts where they are inside", () => {
  const ips = ["10.1.2.3", "172.31.0.1", "172.32.0.1", "fd00::1"].map((value): EntityName => ({ type: "ip", value }));
  const { nodes, columns } = relationsOf([step("f", ips)], [], []);
  const place = (value: string) => columns[nodes.find((node) => node.entity.value === value)?.column ?? -1];
  expect(ips.map((one) => place(one.value))).toEqual(["hosts", "hosts", "destinations", "hosts"]);
});

test("what has no room is counted by kind, and nothing is lost from the list", () => {
  const many = Array.from({ length: 26 }, (_, i) => domain(`d${i}.example`));
  const steps = many.map((one, i) => step(`f${i}`, [host("a"), one]));
  const { nodes, edges, all } = relationsOf(steps, [], []);
  const more = nodes.find((node) => node.more > 0);
  expect(more).toMatchObject({ key: "more:destinations:domain", more: 26 - COLUMN_NODES_MAX });
  expect(edges.find((edge) => edge.b === more?.key || edge.a === more?.key)?.findings).toHaveLength(17);
  expect(all).toHaveLength(26);
});

test("there are never more nodes than can be read", () => {
  const all = Array.from({ length: 60 }, (_, i) => [host(`h${i}`), user(`u${i}`), domain(`d${i}`), { type: "ip", value: `192.0.2.${i}` } as EntityName]).flat();
  const { nodes } = relationsOf(all.map((one, i) => step(`f${i}`, [one])), [], []);
  expect(nodes.length).toBeLessThanOrEqual(NODES_MAX);
  expect(nodes.reduce((sum, node) => sum + (node.more || 1), 0)).toBe(240);
});

test("a sweep relates all to its foremost entity only", () => {
  const swept = Array.from({ length: 10 }, (_, i) => host(`h${i}`));
  expect(relationsOf([step("f", swept)], [], []).all).toHaveLength(9);
});

test("relations told in words become edges", () => {
  expect(relationIn("user CORP\\nina - host fs-1 (session)")).toEqual({ a: "user:CORP\\nina", b: "host:fs-1", tie: "session" });
  expect(relationIn("host web-1")).toBeNull();
  const links = [{ a: "f", b: "g", strength: 1, via: "user nina - host fs-1 (session)" }];
  const { edges } = relationsOf([step("f", [user("nina")]), step("g", [host("fs-1")])], [], links);
  expect(edges).toEqual([{ a: "host:fs-1", b: "user:nina", findings: [], via: ["session"] }]);
});

test("the layout does not depend on the order of links", () => {
  const steps = [step("f", [host("a"), user("x")]), step("g", [host("b"), user("y")]), step("h", [host("a"), user("y")])];
  expect(relationsOf(steps, [], [])).toEqual(relationsOf(structuredClone(steps), [], []));
});
