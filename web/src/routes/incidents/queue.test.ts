// What the queue shows and in which order.
import { expect, test } from "vitest";
import type { IncidentSummary } from "@/api/types";
import { countsByOwner, countsBySeverity, countsByState, type OwnerFilter, queueOf, severitiesOf } from "./queue";

function incident(id: string, part: Partial<IncidentSummary> = {}): IncidentSummary {
  return {
    id,
    tenant: "t",
    title: `title ${id}`,
    title_ja: `題名 ${id}`,
    severity: "high",
    severity_id: 4,
    outcome: "unknown",
    state: "new",
    verdict: null,
    decided_by: null,
    owner: null,
    version: 0,
    merged_into: null,
    opened_time_dt: "2026-11-26T05:00:00Z",
    first_time_dt: "2026-11-26T05:00:00Z",
    last_time_dt: "2026-11-26T05:00:00Z",
    findings: 1,
    tactics: [],
    principals: [],
    notes: 0,
    ...part,
  };
}

const list = [
  incident("low", { severity: "low", severity_id: 2 }),
  incident("done", { state: "closed", severity: "critical", severity_id: 5 }),
  incident("old"),
  incident("young", { last_time_dt: "2026-11-26T06:00:00Z" }),
  incident("taken", { state: "in_progress", decided_by: "nina", owner: "oz", last_time_dt: "2026-11-26T07:00:00Z" }),
  incident("merged", { merged_into: "old" }),
];
const ids = (state: "open" | "done" | "all", text = "", severities = "") =>
  queueOf(list, { state, text, severities: severitiesOf(severities) }).map((one) => one.id);

test("open ones come worst first, untouched before taken, newest first", () => {
  expect(ids("open")).toEqual(["young", "old", "taken", "low"]);
  expect(ids("done")).toEqual(["done", "merged"]);
  expect(ids("all")).toHaveLength(list.length);
});

test("every word must occur, in either language or among those who have it", () => {
  expect(ids("open", "NINA")).toEqual(["taken"]);
  expect(ids("open", "oz")).toEqual(["taken"]);
  expect(ids("open", "題名 old")).toEqual(["old"]);
  expect(ids("open", "title nothing")).toEqual([]);
});

test("severities are read with care and narrow", () => {
  expect(severitiesOf("low,evil,critical")).toEqual(["critical", "low"]);
  expect(ids("open", "", "low")).toEqual(["low"]);
});

test("owners narrow to the viewer's and to nobody's", () => {
  const whose = (owner: OwnerFilter | undefined, me?: string) => queueOf(list, { state: "open", text: "", severities: [], owner, me }).map((one) => one.id);
  expect(whose("mine", "oz")).toEqual(["taken"]);
  expect(whose("mine", "nina")).toEqual([]);
  expect(whose("mine")).toEqual([]);
  expect(whose("none", "oz")).toEqual(["young", "old", "low"]);
  expect(whose(undefined)).toHaveLength(4);
  expect(countsByOwner(list, { state: "open", text: "", severities: [], owner: "mine", me: "oz" })).toEqual({ mine: 1, none: 3 });
});

test("what somebody has taken stands behind what nobody has, whatever its state", () => {
  const two = [incident("given", { owner: "oz", last_time_dt: "2026-11-26T09:00:00Z" }), incident("free")];
  expect(queueOf(two, { state: "open", text: "", severities: [] }).map((one) => one.id)).toEqual(["free", "given"]);
});

test("counts leave out the filter they stand on", () => {
  const filter = { state: "open" as const, text: "", severities: severitiesOf("low") };
  expect(countsByState(list, filter)).toMatchObject({ open: 1, new: 1, in_progress: 0, done: 0, all: 1 });
  expect(countsBySeverity(list, filter)).toMatchObject({ high: 3, low: 1, critical: 0 });
});
