// Lays out who an incident is about and how they relate: columns by role, the same every time.
import type { EntityKind, EntityName, FindingLink, Principal, PrincipalRole, TimelineStep, Verdict3 } from "@/api/types";
import { entityKey } from "../timeline/lanes";

/** Most nodes drawn; the rest is counted by kind. */
export const NODES_MAX = 40;
/** Most nodes of one column, its counts of the rest apart. */
export const COLUMN_NODES_MAX = 9;
/** A finding that names more than this relates all to its foremost entity only. */
const ALL_PAIRS_MAX = 4;

export const COLUMNS = ["sources", "hosts", "accounts", "destinations"] as const;
export type ColumnName = (typeof COLUMNS)[number];

export interface Node {
  key: string;
  entity: EntityName;
  role: PrincipalRole | null;
  verdict: Verdict3 | null;
  /** 0 where this stands for one entity, else for how many it stands. */
  more: number;
  column: number;
  row: number;
}

export interface Edge {
  a: string;
  b: string;
  /** Findings that name both. */
  findings: string[];
  /** Relations in words, as the judge tells them. */
  via: string[];
}

export interface Relations {
  nodes: Node[];
  edges: Edge[];
  /** Columns that hold something, in order. */
  columns: ColumnName[];
  rows: number;
  /** Relations of every entity, also of those only counted. */
  all: Edge[];
}

const COLUMN_OF_ROLE: Record<PrincipalRole, ColumnName> = {
  attacker_address: "sources",
  victim_host: "hosts",
  targeted_host: "hosts",
  compromised_account: "accounts",
  destination: "destinations",
};
const COLUMN_OF_KIND: Record<EntityKind, ColumnName> = { ip: "destinations", host: "hosts", user: "accounts", domain: "destinations" };
/** Addresses of private, shared, link-local and loopback networks (RFC 1918, 6598, 3927, 4193, 4291). */
const INSIDE = /^(?:10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|::1$|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/i;

/** The graph of an incident. */
export function relationsOf(
  steps: readonly TimelineStep[],
  principals: readonly Principal[],
  links: readonly FindingLink[],
): Relations {
  const known = new Map(principals.map((one) => [entityKey(one), one]));
  const all = edgesOf(steps, links, (key) => known.get(key)?.evidence ?? 0);
  const degree = new Map<string, number>();
  for (const edge of all) {
    for (const end of [edge.a, edge.b]) degree.set(end, (degree.get(end) ?? 0) + edge.findings.length);
  }
  const entities = new Map<string, EntityName>();
  for (const one of [...principals, ...steps.flatMap((step) => step.entities)]) {
    const key = entityKey(one);
    if (!entities.has(key)) entities.set(key, { type: one.type, value: one.value });
  }
  const ranked = [...entities].sort(
    ([a], [b]) =>
      Number(known.has(b)) - Number(known.has(a)) ||
      (known.get(b)?.evidence ?? 0) - (known.get(a)?.evidence ?? 0) ||
      (degree.get(b) ?? 0) - (degree.get(a) ?? 0) ||
      (a < b ? -1 : 1),
  );
  const { shown, stands } = fold(ranked, (key) => columnOf(known.get(key), entities.get(key) as EntityName));
  const edges = merged(all, stands);
  const columns = COLUMNS.filter((name) => shown.some((one) => one.name === name));
  const nodes = shown.map(({ key, entity, more, name }): Node => {
    const principal = known.get(key);
    return {
      key,
      entity,
      more,
      role: principal?.role ?? null,
      verdict: principal?.verdict ?? null,
      column: columns.indexOf(name),
      row: 0,
    };
  });
  return { nodes, edges, columns, rows: place(nodes, edges, columns.length), all };
}

function columnOf(principal: Principal | undefined, entity: EntityName): ColumnName {
  if (principal) return COLUMN_OF_ROLE[principal.role];
  return entity.type === "ip" && INSIDE.test(entity.value) ? "hosts" : COLUMN_OF_KIND[entity.type];
}

interface Shown {
  key: string;
  entity: EntityName;
  more: number;
  name: ColumnName;
}

/** The foremost entities, and counts of the rest by column and kind; `stands` says what each is shown as. */
function fold(ranked: readonly [string, EntityName][], column: (key: string) => ColumnName) {
  const shown: Shown[] = [];
  const counted = new Map<string, Shown>();
  const stands = new Map<string, string>();
  const perColumn = new Map<ColumnName, number>();
  const room = ranked.length > NODES_MAX ? NODES_MAX - COLUMNS.length * 2 : NODES_MAX;
  for (const [key, entity] of ranked) {
    const name = column(key);
    const used = perColumn.get(name) ?? 0;
    if (used < COLUMN_NODES_MAX && shown.length < room) {
      perColumn.set(name, used + 1);
      shown.push({ key, entity, more: 0, name });
      stands.set(key, key);
      continue;
    }
    const moreKey = `more:${name}:${entity.type}`;
    const more = counted.get(moreKey) ?? { key: moreKey, entity: { type: entity.type, value: "" }, more: 0, name };
    more.more += 1;
    counted.set(moreKey, more);
    stands.set(key, moreKey);
  }
  return { shown: [...shown, ...counted.values()], stands };
}

function edgesOf(steps: readonly TimelineStep[], links: readonly FindingLink[], weight: (key: string) => number): Edge[] {
  const edges = new Map<string, Edge>();
  const edge = (x: string, y: string): Edge => {
    const [a, b] = x < y ? [x, y] : [y, x];
    const key = `${a}\n${b}`;
    const found = edges.get(key) ?? { a, b, findings: [], via: [] };
    edges.set(key, found);
    return found;
  };
  for (const step of steps) {
    const keys = [...new Set(step.entities.map(entityKey))];
    const hub = keys.reduce((best, key) => (weight(key) > weight(best) ? key : best), keys[0] ?? "");
    const pairs =
      keys.length <= ALL_PAIRS_MAX
        ? keys.flatMap((a, i) => keys.slice(i + 1).map((b) => [a, b] as const))
        : keys.filter((key) => key !== hub).map((key) => [hub, key] as const);
    for (const [a, b] of pairs) edge(a, b).findings.push(step.finding);
  }
  for (const link of links) {
    const told = relationIn(link.via);
    if (!told) continue;
    const found = edge(told.a, told.b);
    if (!found.via.includes(told.tie)) found.via.push(told.tie);
  }
  return [...edges.values()];
}

const KIND = "(host|user|ip|domain)";
const RELATION = new RegExp(`^${KIND} (.+?) - ${KIND} (.+) \\(([^()]+)\\)$`);

/** The relation that a link's path names (`user nina - host fs-1 (session)`), if it names one. */
export function relationIn(via: string): { a: string; b: string; tie: string } | null {
  const match = RELATION.exec(via);
  if (!match) return null;
  return { a: `${match[1]}:${match[2]}`, b: `${match[3]}:${match[4]}`, tie: match[5] as string };
}

/** Edges between what is shown; those inside one count vanish. */
function merged(all: readonly Edge[], stands: ReadonlyMap<string, string>): Edge[] {
  const edges = new Map<string, Edge>();
  for (const edge of all) {
    const [a, b] = [stands.get(edge.a), stands.get(edge.b)];
    if (a === undefined || b === undefined || a === b) continue;
    const key = [a, b].sort().join("\n");
    const found = edges.get(key) ?? { a, b, findings: [], via: [] };
    found.findings = [...new Set([...found.findings, ...edge.findings])];
    found.via = [...new Set([...found.via, ...edge.via])];
    edges.set(key, found);
  }
  return [...edges.values()];
}

const SWEEPS = 4;

/** Gives every node its row so that few edges cross, and returns how many rows there are. */
function place(nodes: readonly Node[], edges: readonly Edge[], columns: number): number {
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const near = new Map<string, Node[]>(nodes.map((node) => [node.key, []]));
  for (const edge of edges) {
    const [a, b] = [byKey.get(edge.a), byKey.get(edge.b)];
    if (!a || !b) continue;
    near.get(a.key)?.push(b);
    near.get(b.key)?.push(a);
  }
  const lists = Array.from({ length: columns }, (_, column) => nodes.filter((node) => node.column === column));
  const rows = Math.max(0, ...lists.map((list) => list.length));
  const settle = (list: Node[]) => list.forEach((node, i) => (node.row = i + (rows - list.length) / 2));
  lists.forEach(settle);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const list of sweep % 2 === 0 ? lists : [...lists].reverse()) {
      const wish = new Map(list.map((node) => [node, middle(near.get(node.key) ?? [], node)]));
      list.sort((a, b) => Number(a.more > 0) - Number(b.more > 0) || (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
      settle(list);
    }
  }
  return rows;
}

function middle(neighbours: readonly Node[], node: Node): number {
  const others = neighbours.filter((one) => one.column !== node.column);
  if (others.length === 0) return node.row;
  return others.reduce((sum, one) => sum + one.row, 0) / others.length;
}
