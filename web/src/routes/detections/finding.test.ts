// What a finding is about.
import { expect, test } from "vitest";
import { entitiesOf, groupOf, isRetrospective, thingsOf } from "./finding";

const observables = [
  { name: "file", type_id: 7, type: "File Name", value: "/tmp/x" },
  { name: "user", type_id: 4, type: "User Name", value: "root" },
  { name: "host", type_id: 1, type: "Hostname", value: "web-1" },
];

test("entities come by kind, things apart", () => {
  expect(entitiesOf({ observables })).toEqual([
    { kind: "host", value: "web-1" },
    { kind: "user", value: "root" },
  ]);
  expect(thingsOf({ observables }).map((one) => one.value)).toEqual(["/tmp/x"]);
});

test("a group is a text, and anything else is none", () => {
  const of = (group: unknown) => groupOf({ unmapped: { group, kind: "rule", outcome: "unknown", lsn: 1 } });
  expect(of("user.name=root, device.hostname=web-1")).toBe("user.name=root, device.hostname=web-1");
  expect(of([])).toBe("");
});

test("a label says that a rule was run over the past", () => {
  const of = (labels?: string[]) => isRetrospective({ metadata: { version: "1.6.0", uid: "x", tenant_uid: "t", sequence: 1, ...(labels && { labels }) } });
  expect(of()).toBe(false);
  expect(of(["other"])).toBe(false);
  expect(of(["other", "retrospective"])).toBe(true);
});
