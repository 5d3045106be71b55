// The lines of a hunt, grouped by indicator.
import type { HuntLine } from "@/api/types";

export interface HuntGroup {
  kind: "group";
  id: string;
  indicator: string;
  type: string;
  lists: string[];
  events: number;
  first: string;
  last: string;
  lines: HuntLine[];
  search: string;
}

export interface HuntSeen {
  kind: "line";
  id: string;
  line: HuntLine;
}

export type HuntRow = HuntGroup | HuntSeen;

/** The most events a search for a group may be put together of. */
const TERMS_MAX = 100;

/** One group an indicator, the last one seen first. */
export function groups(lines: readonly HuntLine[]): HuntGroup[] {
  const found = new Map<string, HuntGroup>();
  for (const line of lines) {
    const key = `${line.type}/${line.indicator}`;
    const group = found.get(key);
    if (!group) {
      const { indicator, type, list, events, first, last, search } = line;
      found.set(key, { kind: "group", id: key, indicator, type, lists: list ? [list] : [], events, first, last, lines: [line], search });
      continue;
    }
    group.lines.push(line);
    group.events += line.events;
    if (line.first < group.first) group.first = line.first;
    if (line.last > group.last) group.last = line.last;
    if (line.list && !group.lists.includes(line.list)) group.lists.push(line.list);
  }
  for (const group of found.values()) group.search = searchOf(group.lines);
  return [...found.values()].sort((a, b) => (a.last < b.last ? 1 : a.last > b.last ? -1 : 0));
}

/** Groups with the lines of those that are open. */
export function rowsOf(all: readonly HuntGroup[], open: ReadonlySet<string>): HuntRow[] {
  return all.flatMap((group) => [
    group,
    ...(open.has(group.id) ? group.lines.map((line, i): HuntSeen => ({ kind: "line", id: `${group.id}#${i}`, line })) : []),
  ]);
}

function searchOf(lines: readonly HuntLine[]): string {
  return [...new Set(lines.map((line) => line.search))].slice(0, TERMS_MAX).join(" OR ");
}
