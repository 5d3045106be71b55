// Places of values in a raw record: which pieces to mark, and which values they belong to.
import type { FieldSpan } from "@/api/types";

/** A piece of the record that belongs to the same spans from its first to its last unit. */
export interface Segment {
  start: number;
  end: number;
  /** Indexes of the spans, the innermost first. */
  spans: number[];
}

/** Cuts overlapping spans into pieces that do not overlap, in order. */
export function segments(spans: readonly FieldSpan[], length: number): Segment[] {
  const edges = new Set<number>();
  const bounded = spans.map((span) => ({ start: Math.max(0, span.start), end: Math.min(length, span.end) }));
  for (const { start, end } of bounded) if (start < end) edges.add(start).add(end);
  const sorted = [...edges].sort((a, b) => a - b);
  const list: Segment[] = [];
  for (let i = 0; i + 1 < sorted.length; i += 1) {
    const [start, end] = [sorted[i] as number, sorted[i + 1] as number];
    const inside = bounded.flatMap((span, at) => (span.start <= start && end <= span.end ? [at] : []));
    const size = (at: number) => (bounded[at]?.end ?? 0) - (bounded[at]?.start ?? 0);
    if (inside.length > 0) list.push({ start, end, spans: inside.sort((a, b) => size(a) - size(b)) });
  }
  return list;
}

/** The paths of the event's tree that a span's value stands at. */
export function pathsOf(span: FieldSpan): string[] {
  return [...span.paths, `unmapped.${span.field}`];
}

/** Indexes of the spans that the value at a path came from. */
export function spansAt(spans: readonly FieldSpan[], path: string): number[] {
  return spans.flatMap((span, at) => (pathsOf(span).includes(path) ? [at] : []));
}
