// From a standing to the rows of its waterfall: where each step begins and ends, and what it decides.
import type { Severity, Standing, Verdict3 } from "@/api/types";

/** Log-odds above which an entity is black: probability 0.8 (`crates/verdict/src/params.rs`). */
export const BLACK_ABOVE = Math.log(0.8 / 0.2);
/** Log-odds below which an entity is white: probability 0.2. */
export const WHITE_BELOW = Math.log(0.2 / 0.8);
/** More contributions than this are folded. */
export const ROWS_MAX = 12;

export type RowKind = "prior" | "finding" | "folded" | "flow" | "posterior";

export interface WaterfallRow {
  kind: RowKind;
  key: string;
  /** Log-odds before and after the row. */
  from: number;
  to: number;
  added: number;
  /** Without it the verdict would be another: this one. */
  without: Verdict3 | null;
  finding?: string;
  title?: string;
  level?: Severity;
  reason?: string;
  /** How many contributions are folded in it. */
  count?: number;
}

export interface WaterfallPicture {
  rows: WaterfallRow[];
  /** Bounds of the axis, in log-odds. */
  least: number;
  most: number;
}

/** The verdict of log-odds. */
export function verdictOf(logOdds: number): Verdict3 {
  if (logOdds > BLACK_ABOVE) return "black";
  return logOdds < WHITE_BELOW ? "white" : "grey";
}

/** The rows of a standing; beyond [`ROWS_MAX`] the lightest contributions are one row unless `open`. */
export function waterfallOf(standing: Standing, open = false): WaterfallPicture {
  const { prior, posterior, flow, waterfall, verdict } = standing;
  const rows: WaterfallRow[] = [{ kind: "prior", key: "prior", from: 0, to: prior, added: prior, without: null }];
  let at = prior;
  const step = (row: Omit<WaterfallRow, "from" | "to" | "without">) => {
    const other = verdictOf(posterior - row.added);
    rows.push({ ...row, from: at, to: at + row.added, without: other === verdict ? null : other });
    at += row.added;
  };
  const folds = waterfall.length > ROWS_MAX && !open;
  for (const [i, piece] of (folds ? waterfall.slice(0, ROWS_MAX - 1) : waterfall).entries()) {
    const { finding, title, level, reason, added } = piece;
    step({ kind: "finding", key: `${finding}/${i}`, added, finding, title, level, reason });
  }
  if (folds) {
    const rest = waterfall.slice(ROWS_MAX - 1);
    step({ kind: "folded", key: "folded", added: rest.reduce((sum, one) => sum + one.added, 0), count: rest.length });
  }
  if (flow !== 0) step({ kind: "flow", key: "flow", added: flow });
  rows.push({ kind: "posterior", key: "posterior", from: 0, to: posterior, added: posterior, without: null });
  const ends = rows.slice(1).flatMap((row) => [row.kind === "posterior" ? row.to : row.from, row.to]);
  const least = Math.min(prior, WHITE_BELOW, ...ends);
  const most = Math.max(BLACK_ABOVE, ...ends);
  const room = (most - least) * 0.04;
  return { rows, least: least - room, most: most + room };
}

/** The parts of the reason that the judge writes for a weight, or `null` where it is worded otherwise. */
export interface ReasonParts {
  level: string;
  kind: string;
  weight: string;
  part: string;
  own: string;
  alike: string;
  /** Missing before repeats and age are counted. */
  repeat: string | undefined;
  age: string | undefined;
}

const REASON =
  /^(?<level>\w+) (?<kind>[\w ]+): weight (?<weight>[\d.]+) x part (?<part>[\d.]+) x own (?<own>[\d.]+) \/ (?<alike>\d+) alike(?:; repeat (?<repeat>[\d.]+), age (?<age>[\d.]+))?$/;

export function reasonParts(reason: string): ReasonParts | null {
  const match = REASON.exec(reason);
  return match ? ({ ...match.groups } as unknown as ReasonParts) : null;
}
