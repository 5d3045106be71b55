// Whether a pipe's answer can be drawn: values over time, or numbers of one category.

export type PipeRow = Record<string, unknown>;

export type Chart =
  | { kind: "time"; time: string; number: string; series: { name: string; total: number; points: Map<number, number> }[]; times: number[] }
  | { kind: "category"; category: string; number: string; bars: { name: string; value: number }[]; more: number };

const SERIES_MAX = 4;
const BARS_MAX = 12;
const TIMES_MAX = 500;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

export type ColumnKind = "time" | "number" | "text" | "other";

/** Names of all columns, in the order in which they appear. */
export function columnNames(rows: readonly PipeRow[]): string[] {
  const names = new Set<string>();
  for (const row of rows.slice(0, 1_000)) for (const name of Object.keys(row)) names.add(name);
  return [...names];
}

/** What a column holds, by its values that are there. */
export function columnKind(rows: readonly PipeRow[], name: string): ColumnKind {
  const values = rows.slice(0, 200).map((row) => row[name]).filter((value) => value !== null && value !== undefined);
  if (values.length === 0) return "other";
  if (values.every((value) => typeof value === "number")) return "number";
  if (values.every((value) => typeof value === "string" && TIME.test(value))) return "time";
  return values.every((value) => typeof value === "string" || typeof value === "boolean") ? "text" : "other";
}

/** The chart of an answer; `null` where a table says it better. */
export function chartOf(rows: readonly PipeRow[]): Chart | null {
  if (rows.length < 2) return null;
  const names = columnNames(rows);
  const kinds = new Map(names.map((name) => [name, columnKind(rows, name)]));
  const of = (kind: ColumnKind) => names.filter((name) => kinds.get(name) === kind);
  const [times, numbers, texts] = [of("time"), of("number"), of("text")];
  const number = numbers[0];
  if (number === undefined || names.length > 6) return null;
  if (times.length === 1 && texts.length <= 1) return overTime(rows, times[0] as string, number, texts[0]);
  if (times.length === 0 && texts.length === 1) return byCategory(rows, texts[0] as string, number);
  if (times.length === 0 && texts.length === 0 && numbers.length === 2) return byCategory(rows, number, numbers[1] as string);
  return null;
}

function overTime(rows: readonly PipeRow[], time: string, number: string, category: string | undefined): Chart | null {
  const totals = new Map<string, number>();
  const times = new Set<number>();
  for (const row of rows) {
    const name = category === undefined ? number : String(row[category] ?? "–");
    totals.set(name, (totals.get(name) ?? 0) + Number(row[number] ?? 0));
    times.add(Date.parse(String(row[time])));
  }
  times.delete(Number.NaN);
  if (times.size < 2 || times.size > TIMES_MAX) return null;
  const ranked = [...totals].sort((a, b) => b[1] - a[1]);
  const kept = ranked.length <= SERIES_MAX + 1 ? ranked : ranked.slice(0, SERIES_MAX);
  const rest = ranked.slice(kept.length).reduce((sum, [, total]) => sum + total, 0);
  const series = kept.map(([name, total]) => ({ name, total, points: new Map<number, number>() }));
  if (kept.length < ranked.length) series.push({ name: "", total: rest, points: new Map() });
  for (const row of rows) {
    const name = category === undefined ? number : String(row[category] ?? "–");
    const line = series.find((one) => one.name === name) ?? series.at(-1);
    const at = Date.parse(String(row[time]));
    line?.points.set(at, (line.points.get(at) ?? 0) + Number(row[number] ?? 0));
  }
  return { kind: "time", time, number, series, times: [...times].sort((a, b) => a - b) };
}

function byCategory(rows: readonly PipeRow[], category: string, number: string): Chart {
  const bars = rows
    .map((row) => ({ name: String(row[category] ?? "–"), value: Number(row[number] ?? 0) }))
    .sort((a, b) => b.value - a.value);
  return { kind: "category", category, number, bars: bars.slice(0, BARS_MAX), more: Math.max(0, bars.length - BARS_MAX) };
}
