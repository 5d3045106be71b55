// Puts an incident's steps onto lanes, one an entity, and lanes onto pixels.
import type { EntityName, Principal, Severity, TimelineStep } from "@/api/types";

/** Most lanes; what has none of its own shares the last. */
export const LANES_MAX = 8;
/** From this many marks on, lanes show bars of counts. */
export const MARKS_MAX = 500;

export interface Mark {
  step: TimelineStep;
  fromMs: number;
  untilMs: number;
}

export interface Lane {
  key: string;
  /** `null` for the lane of all others. */
  entity: EntityName | null;
  /** How many entities share it. */
  entities: number;
  marks: Mark[];
}

export interface Span {
  fromMs: number;
  untilMs: number;
}

/** What names an entity in keys and in the address. */
export function entityKey(entity: EntityName): string {
  return `${entity.type}:${entity.value}`;
}

/**
 * The lanes, in the order in which their entities first appear. Where there are too many, those
 * of principals and of entities that come up more than once are kept.
 */
export function lanesOf(steps: readonly TimelineStep[], principals: readonly Principal[]): Lane[] {
  const marks = new Map<string, { entity: EntityName; marks: Mark[] }>();
  for (const step of steps) {
    for (const entity of step.entities) {
      const key = entityKey(entity);
      const lane = marks.get(key) ?? { entity, marks: [] };
      lane.marks.push({ step, ...spanOf(step) });
      marks.set(key, lane);
    }
  }
  const weight = new Map(principals.map((one) => [entityKey(one), one.evidence ?? 1]));
  const ranked = [...marks].sort(
    ([a, x], [b, y]) => (weight.get(b) ?? 0) - (weight.get(a) ?? 0) || y.marks.length - x.marks.length || (a < b ? -1 : 1),
  );
  const told = ranked.length > LANES_MAX ? ranked.filter(([key, lane]) => weight.has(key) || lane.marks.length > 1).slice(0, LANES_MAX - 1) : ranked;
  const own = new Set(told.map(([key]) => key));
  const lanes: Lane[] = [];
  const others: Lane = { key: "others", entity: null, entities: 0, marks: [] };
  for (const [key, lane] of marks) {
    if (own.has(key)) {
      lanes.push({ key, entity: lane.entity, entities: 1, marks: lane.marks });
    } else {
      others.entities += 1;
      others.marks.push(...lane.marks.filter((mark) => !others.marks.some((one) => one.step === mark.step)));
    }
  }
  return others.entities > 0 ? [...lanes, others] : lanes;
}

/** From when to when a step's events happened. */
export function spanOf(step: TimelineStep): Span {
  const fromMs = Date.parse(step.time_dt);
  return { fromMs, untilMs: Math.max(fromMs, Date.parse(step.last_time_dt)) };
}

/** The span of all steps, never empty, with some room at both ends. */
export function wholeSpan(steps: readonly TimelineStep[]): Span {
  const spans = steps.map(spanOf);
  const from = Math.min(...spans.map((span) => span.fromMs));
  const until = Math.max(...spans.map((span) => span.untilMs));
  const room = Math.max(15_000, (until - from) * 0.02);
  return { fromMs: Math.floor(from - room), untilMs: Math.ceil(until + room) };
}

/** A span as the address writes it. */
export function spanText(span: Span): string {
  return `${Math.round(span.fromMs)}-${Math.round(span.untilMs)}`;
}

/** The span of an address, at least a second long; `null` where it is none. */
export function spanIn(text: string | undefined): Span | null {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(text ?? "");
  if (!match) return null;
  const fromMs = Number(match[1]);
  return { fromMs, untilMs: Math.max(Number(match[2]), fromMs + 1_000) };
}

/** Whether a step has anything within the span. */
export function touches(step: TimelineStep, span: Span): boolean {
  const own = spanOf(step);
  return own.fromMs <= span.untilMs && own.untilMs >= span.fromMs;
}

const MINUTE = 60_000;
const DAY = 86_400_000;
const TICK_STEPS_MS = [
  1_000, 5_000, 10_000, 30_000, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE,
  120 * MINUTE, 180 * MINUTE, 360 * MINUTE, 720 * MINUTE, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY,
];

/** Round times within the span, at most `most` of them; `offsetMs` is that of the zone. */
export function ticksOf(span: Span, most: number, offsetMs: number): { stepMs: number; atMs: number[] } {
  const length = span.untilMs - span.fromMs;
  const stepMs = TICK_STEPS_MS.find((step) => length / step <= most) ?? Math.ceil(length / most / DAY) * DAY;
  const atMs: number[] = [];
  for (let at = Math.ceil((span.fromMs + offsetMs) / stepMs) * stepMs; at - offsetMs <= span.untilMs; at += stepMs) {
    atMs.push(at - offsetMs);
  }
  return { stepMs, atMs };
}

export interface Bin {
  count: number;
  /** The worst level in it. */
  level: Severity;
}

const RANK: Record<Severity, number> = { informational: 0, low: 1, medium: 2, high: 3, critical: 4 };

/** The marks of a lane counted into `bins` equal parts of the span, by their beginning. */
export function binsOf(marks: readonly Mark[], span: Span, bins: number): (Bin | null)[] {
  const list: (Bin | null)[] = Array.from({ length: bins }, () => null);
  const width = (span.untilMs - span.fromMs) / bins;
  for (const mark of marks) {
    const at = Math.floor((mark.fromMs - span.fromMs) / width);
    if (at < 0 || at >= bins) continue;
    const before = list[at];
    const level = before && RANK[before.level] > RANK[mark.step.level] ? before.level : mark.step.level;
    list[at] = { count: (before?.count ?? 0) + 1, level };
  }
  return list;
}
