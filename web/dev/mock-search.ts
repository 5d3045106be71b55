// The mock's answers to searches: columns, places of values, background searches, hunts.

type Json = Record<string, unknown>;

/** Where a column's value stands in an event. */
const PATHS: Record<string, string[]> = {
  id: ["metadata.uid"],
  time: ["time_dt"],
  source: ["metadata.log_name"],
  feed: ["metadata.feed"],
  tenant: ["metadata.tenant_uid"],
  class: ["class_name"],
  activity: ["activity_name"],
  user: ["user.name", "actor.user.name"],
  host: ["device.hostname", "dst_endpoint.hostname", "src_endpoint.hostname"],
  src_ip: ["src_endpoint.ip"],
  dst_ip: ["dst_endpoint.ip"],
  src_port: ["src_endpoint.port"],
  dst_port: ["dst_endpoint.port"],
  domain: ["query.hostname"],
  summary: ["message", "raw_data"],
};

/** An event as a flat row of columns. */
export function flat(event: Json, columns: string): Json {
  return Object.fromEntries(columns.split(",").map((name) => [name, first(event, PATHS[name] ?? [name])]));
}

/** The values of an event that stand in its record, with their places. */
export function spansOf(event: Json, raw: string): Json[] {
  const found = new Map<string, { value: string; start: number; end: number; paths: string[] }>();
  const walk = (value: unknown, path: string): void => {
    if (value !== null && typeof value === "object") {
      for (const [key, inner] of Object.entries(value)) if (key !== "raw_data") walk(inner, path ? `${path}.${key}` : key);
      return;
    }
    const text = String(value);
    const start = text.length > 2 ? raw.indexOf(text) : -1;
    if (start < 0 || path.startsWith("metadata") || path.startsWith("time")) return;
    const known = found.get(text) ?? { value: text, start, end: start + text.length, paths: [] };
    known.paths.push(path);
    found.set(text, known);
  };
  walk(event, "");
  return [...found.values()]
    .sort((a, b) => a.start - b.start)
    .map((span) => ({ ...span, field: (span.paths[0] ?? "").split(".").at(-1) }));
}

interface Job {
  id: string;
  query: string;
  columns: string;
  beganMs: number;
  stopped: boolean;
}

const jobs: Job[] = [];
const JOB_FILES = 48;
const FILES_PER_S = 6;

export function beginSearch(body: Json): Json {
  const job = { id: `s${jobs.length + 1}`, query: String(body.query), columns: String(body.columns ?? "id,time,summary"), beganMs: Date.now(), stopped: false };
  jobs.push(job);
  return state(job, []);
}

export function backgroundSearches(events: Json[]): Json[] {
  return jobs.map((job) => state(job, events));
}

export function endSearch(id: string): void {
  const at = jobs.findIndex((job) => job.id === id);
  if (at >= 0) jobs.splice(at, 1);
}

/** Events found so far from a cursor on; `undefined` where there is no such search. */
export function jobRows(id: string, cursor: number, events: Json[]): { rows: Json[]; next: number } | undefined {
  const job = jobs.find((one) => one.id === id);
  if (!job) return undefined;
  const rows = events.slice(cursor, Number(state(job, events).events)).map((event) => flat(event, job.columns));
  return { rows, next: cursor + rows.length };
}

function state(job: Job, events: Json[]): Json {
  const done = Math.min(JOB_FILES, Math.floor(((Date.now() - job.beganMs) / 1_000) * FILES_PER_S));
  return {
    id: job.id,
    query: job.query,
    state: done >= JOB_FILES ? "done" : "running",
    files: JOB_FILES + 12,
    files_done: done,
    files_passed_over: 12,
    events: Math.floor((events.length * done) / JOB_FILES),
    ms: Math.min(8_000, Date.now() - job.beganMs),
  };
}

/** Sightings of whatever addresses and domains of the fixtures a hunt names. */
export function hunt(body: Json, now: number): { lines: Json[]; refused: Json[]; stats: Json } {
  const text = ((body.lists as { text: string }[] | undefined) ?? []).map((list) => list.text).join("\n").replaceAll("[.]", ".").toLowerCase();
  const words = [...new Set(text.split(/[\s,]+/).filter(Boolean))];
  const known = [
    ["203.0.113.66", "ipv4", "ip", "203.0.113.66", "nginx_access", 1_204, 5],
    ["203.0.113.66", "ipv4", "ip", "203.0.113.66", "fortigate", 88, 1],
    ["203.0.113.9", "ipv4", "ip", "203.0.113.9", "fortigate", 412, 9],
    ["cdn-update.invalid", "domain", "domain", "cdn-update.invalid", "bind", 96, 2],
    ["cdn-update.invalid", "domain", "domain", "a1.cdn-update.invalid", "bind", 31, 2],
    ["cdn-update.invalid", "domain", "host", "cdn-update.invalid", "squid", 17, 4],
  ] as const;
  const day = 86_400_000;
  const lines = known
    .filter(([indicator]) => words.includes(indicator))
    .map(([indicator, type, as, seen, source, events, days]) => ({
      indicator,
      type,
      list: "pasted",
      name: "",
      seen,
      as,
      tenant: "hinode",
      source,
      events,
      first: new Date(now - days * day).toISOString(),
      last: new Date(now - days * 3_600_000).toISOString(),
      search: `${as}:"${seen}"`,
    }));
  const refused = text.split("\n").flatMap((line, i) =>
    /^10\./.test(line.trim()) ? [{ list: "pasted", line: i + 1, entry: line.trim(), code: "private_or_reserved", reason: "it is private, reserved or of no one owner" }] : [],
  );
  const stats = { indicators: words.length - refused.length, refused: refused.length, lines: lines.length, truncated: false, sightings: 48_120, events: 2_311, took_ms: 84 };
  return { lines, refused, stats };
}

function first(event: Json, paths: string[]): unknown {
  for (const path of paths) {
    const value = path.split(".").reduce<unknown>((at, key) => (at as Json | undefined)?.[key], event);
    if (value !== undefined) return value;
  }
  return null;
}
