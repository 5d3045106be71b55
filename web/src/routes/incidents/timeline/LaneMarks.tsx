// The marks on the lanes: a shape for each step by its level, or bars of counts.
import type { Severity, TimelineStep } from "@/api/types";
import { oneLine } from "@/lib/raw";
import { useSettings } from "@/lib/settings";
import { timeText } from "@/lib/time";
import { binsOf, type Lane, type Mark, type Span } from "./lanes";
import styles from "./TimelineChart.module.css";

const BIN_PX = 8;
/** A lane whose marks have less room than this shows bars. */
const MARK_PX_MIN = 9;

/** Shapes of 12 px around the origin; the same as the glyphs of `SeverityMark`. */
const SHAPES: Record<Severity, string> = {
  critical: "M0 -6.5 L6 0 L0 6.5 L-6 0 Z",
  high: "M0 -5.5 L5.8 4.8 L-5.8 4.8 Z",
  medium: "M0 -5 A5 5 0 1 1 -0.01 -5 Z",
  low: "M0 5.5 L5.8 -4.8 L-5.8 -4.8 Z",
  informational: "M0 -4.5 A4.5 4.5 0 1 1 -0.01 -4.5 Z",
};

interface LaneMarksProps {
  lanes: readonly Lane[];
  shown: readonly TimelineStep[];
  span: Span;
  plot: number;
  lanePx: number;
  binned: boolean;
  chosen: string | undefined;
  x: (ms: number) => number;
  onChoose: (finding: string | undefined) => void;
}

export function LaneMarks(props: LaneMarksProps) {
  const { lanes, plot, binned } = props;
  const dense = new Set(lanes.filter((lane) => binned || lane.marks.length > plot / MARK_PX_MIN).map((lane) => lane.key));
  return (
    <>
      {binned || <Ties {...props} />}
      {lanes.map((lane, i) =>
        dense.has(lane.key) ? <Bars key={lane.key} {...props} lane={lane} at={i} /> : <Shapes key={lane.key} {...props} lane={lane} at={i} />,
      )}
    </>
  );
}

interface LaneProps extends LaneMarksProps {
  lane: Lane;
  at: number;
}

function Bars({ lane, at, span, plot, lanePx }: LaneProps) {
  const bins = Math.max(1, Math.floor(plot / BIN_PX));
  const counted = binsOf(lane.marks, span, bins);
  const most = Math.max(1, ...counted.map((bin) => bin?.count ?? 0));
  return counted.map((bin, i) => {
    if (!bin) return null;
    const height = Math.max(2, (bin.count / most) * (lanePx - 4));
    return (
      <rect key={i} className={styles[bin.level]} x={i * (plot / bins)} y={(at + 1) * lanePx - 2 - height} width={BIN_PX - 1} height={height} />
    );
  });
}

function Shapes({ lane, at, shown, span, lanePx, chosen, x, onChoose }: LaneProps) {
  const within = new Set(shown.map((step) => step.finding));
  const isIn = (mark: Mark) => mark.fromMs <= span.untilMs && mark.untilMs >= span.fromMs;
  return lane.marks.filter(isIn).map((mark) => (
    <g
      key={mark.step.finding}
      data-mark
      className={styles.mark}
      data-chosen={mark.step.finding === chosen || undefined}
      data-faint={!within.has(mark.step.finding) || undefined}
      transform={`translate(${x(mark.fromMs)} ${(at + 0.5) * lanePx})`}
      onClick={() => onChoose(mark.step.finding === chosen ? undefined : mark.step.finding)}
    >
      <Words step={mark.step} />
      <rect className={styles.reach} x={-8} y={-lanePx / 2} width={16} height={lanePx} />
      <line className={[styles.lasting, styles[mark.step.level]].join(" ")} x1={0} x2={Math.max(0, x(mark.untilMs) - x(mark.fromMs))} />
      <path className={[styles.shape, styles[mark.step.level]].join(" ")} d={SHAPES[mark.step.level]} />
    </g>
  ));
}

/** What one finding names on several lanes is tied together. */
function Ties({ lanes, lanePx, chosen, x }: LaneMarksProps) {
  return tiesOf(lanes).map(({ step, top, bottom }) => (
    <line
      key={step.finding}
      className={styles.tie}
      data-chosen={step.finding === chosen || undefined}
      x1={x(Date.parse(step.time_dt))}
      x2={x(Date.parse(step.time_dt))}
      y1={(top + 0.5) * lanePx}
      y2={(bottom + 0.5) * lanePx}
    />
  ));
}

function Words({ step }: { step: TimelineStep }) {
  const { zone } = useSettings();
  return <title>{`${timeText(Date.parse(step.time_dt), zone)}\n${oneLine(step.title)}`}</title>;
}

/** From which lane to which a step reaches, the shared lane apart. */
function tiesOf(lanes: readonly Lane[]) {
  const ties = new Map<string, { step: TimelineStep; top: number; bottom: number }>();
  for (const [i, lane] of lanes.entries()) {
    if (lane.entity === null) continue;
    for (const { step } of lane.marks) {
      const tie = ties.get(step.finding);
      if (tie) tie.bottom = i;
      else ties.set(step.finding, { step, top: i, bottom: i });
    }
  }
  return [...ties.values()].filter((tie) => tie.bottom > tie.top);
}
