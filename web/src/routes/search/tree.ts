// An event as the lines of a tree.

export interface TreeLine {
  /** Dotted OCSF path without indexes of lists: the name in searches. */
  path: string;
  /** Tells lines of lists apart. */
  id: string;
  key: string;
  depth: number;
  /** A value; absent where the line opens a group. */
  value?: string | number | boolean | null;
  /** How many lines a group has inside. */
  size?: number;
}

/** Members shown beside the tree. */
const BESIDE = new Set(["raw_data"]);

/** All lines in order; `unmapped` that is a JSON text is opened, too. */
export function treeLines(event: Record<string, unknown>): TreeLine[] {
  const lines: TreeLine[] = [];
  for (const [key, value] of Object.entries(event)) if (!BESIDE.has(key)) add(lines, value, key, key, key, 0);
  return lines;
}

/** The lines that show while some groups are closed. */
export function openLines(lines: readonly TreeLine[], closed: ReadonlySet<string>): TreeLine[] {
  const shown: TreeLine[] = [];
  let hiddenBelow = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    if (line.depth > hiddenBelow) continue;
    hiddenBelow = closed.has(line.id) ? line.depth : Number.POSITIVE_INFINITY;
    shown.push(line);
  }
  return shown;
}

function add(lines: TreeLine[], value: unknown, path: string, id: string, key: string, depth: number): void {
  const inner = path === "unmapped" && typeof value === "string" ? parsed(value) : value;
  if (inner === null || typeof inner !== "object") {
    lines.push({ path, id, key, depth, value: inner as TreeLine["value"] & {} });
    return;
  }
  const entries = Array.isArray(inner) ? inner.map((item, i): [string, unknown] => [String(i), item]) : Object.entries(inner);
  const flat = Array.isArray(inner) && inner.every((item) => item === null || typeof item !== "object");
  lines.push({ path, id, key, depth, size: entries.length });
  for (const [name, item] of entries) {
    add(lines, item, Array.isArray(inner) ? path : `${path}.${name}`, `${id}.${name}`, flat ? "" : name, depth + 1);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
