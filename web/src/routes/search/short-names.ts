// Names of the search language that are no single column.
import type { FieldInfo } from "@/api/types";

/** Fields that a short name is said to stand for; of more, only how many. */
const FIELDS_TOLD = 3;

/** Those that are offered first, explained in the viewer's language; `GET /fields` has all of them. */
export const SHORT_NAMES = [
  "user",
  "host",
  "ip",
  "src",
  "dst",
  "port",
  "mac",
  "url",
  "domain",
  "hash",
  "email",
  "file",
  "process",
  "command_line",
  "class",
  "category",
  "activity",
  "source",
  "feed",
  "tenant",
  "rule",
  "pid",
  "earliest",
  "latest",
] as const;

export type ShortName = (typeof SHORT_NAMES)[number];

/** The short names that the server knows, with what each stands for: a field's text, or several names. */
export function shortNames(fields: readonly FieldInfo[]): Map<string, string> {
  const stands = new Map<string, FieldInfo[]>();
  for (const one of fields) for (const short of one.short) stands.set(short, [...(stands.get(short) ?? []), one]);
  return new Map([...stands].map(([short, all]) => [short, told(all)]));
}

function told(all: readonly FieldInfo[]): string {
  const [first] = all;
  if (first && all.length === 1) return first.doc;
  const names = all.slice(0, FIELDS_TOLD).map((one) => one.name).join(", ");
  return all.length > FIELDS_TOLD ? `${names} +${all.length - FIELDS_TOLD}` : names;
}
