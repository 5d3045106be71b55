// Lanes of an incident in time, drawn in SVG: marks to choose, bars where there are too many, a brush.
import { type PointerEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { TimelineStep } from "@/api/types";
import { useWord } from "@/i18n/words";
import { oneLine } from "@/lib/raw";
import { useSettings } from "@/lib/settings";
import { offsetOf, timeText } from "@/lib/time";
import { LaneMarks } from "./LaneMarks";
import { type Lane, MARKS_MAX, type Span, ticksOf } from "./lanes";
import styles from "./TimelineChart.module.css";
import { useWidth } from "./useWidth";

const NAME_PX = 168;
const LANE_PX = 24;
const AXIS_PX = 22;
/** Room for half a mark at both ends. */
const EDGE_PX = 8;
const TICK_PX = 92;
/** A shorter drag is a click. */
const BRUSH_PX_MIN = 5;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

export function TimelineChart({ lanes, shown, span, chosen, who, onChoose, onWho, onSpan }: {
  lanes: readonly Lane[];
  /** Steps outside are drawn faint. */
  shown: readonly TimelineStep[];
  span: Span;
  chosen: TimelineStep | undefined;
  who: string | undefined;
  onChoose: (finding: string | undefined) => void;
  onWho: (key: string) => void;
  onSpan: (span: Span | undefined) => void;
}) {
  const { t } = useTranslation();
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const plot = Math.max(0, width - NAME_PX - 12);
  const x = (ms: number) => ((ms - span.fromMs) / (span.untilMs - span.fromMs)) * plot;
  const brush = useBrush(frame, (a, b) => {
    const at = (px: number) => Math.round(span.fromMs + (Math.max(0, Math.min(plot, px - NAME_PX)) / plot) * (span.untilMs - span.fromMs));
    onSpan({ fromMs: at(a), untilMs: Math.max(at(b), at(a) + 1_000) });
  });
  const marks = lanes.reduce((sum, lane) => sum + lane.marks.length, 0);
  const height = lanes.length * LANE_PX + AXIS_PX;
  return (
    <div ref={frame} className={styles.frame} style={{ height }} {...brush.handlers}>
      {lanes.map((lane, i) => (
        <LaneName key={lane.key} lane={lane} top={i * LANE_PX} chosen={lane.key === who} onWho={onWho} />
      ))}
      {plot > 0 && (
        <svg
          className={styles.plot}
          viewBox={`${-EDGE_PX} 0 ${plot + 2 * EDGE_PX} ${height}`}
          width={plot + 2 * EDGE_PX}
          height={height}
          style={{ left: NAME_PX - EDGE_PX }}
          role="img"
          aria-label={t("incidents.chart", { count: marks })}
        >
          {lanes.map((lane, i) => (
            <line key={lane.key} className={styles.lane} x1={0} x2={plot} y1={(i + 0.5) * LANE_PX} y2={(i + 0.5) * LANE_PX} />
          ))}
          <Axis span={span} plot={plot} top={lanes.length * LANE_PX} x={x} />
          <LaneMarks
            lanes={lanes}
            shown={shown}
            span={span}
            plot={plot}
            lanePx={LANE_PX}
            binned={marks > MARKS_MAX}
            chosen={chosen?.finding}
            x={x}
            onChoose={onChoose}
          />
        </svg>
      )}
      {brush.drawn && <div className={styles.brush} style={{ left: brush.drawn.left, width: brush.drawn.width, height: height - AXIS_PX }} />}
    </div>
  );
}

function LaneName({ lane, top, chosen, onWho }: { lane: Lane; top: number; chosen: boolean; onWho: (key: string) => void }) {
  const { t } = useTranslation();
  const word = useWord();
  const style = { top, height: LANE_PX, width: NAME_PX - 8 };
  if (!lane.entity) {
    return (
      <span className={styles.name} style={style}>
        {t("incidents.other_entities", { count: lane.entities })}
      </span>
    );
  }
  const { value, type } = lane.entity;
  return (
    <button
      type="button"
      className={styles.name}
      style={style}
      aria-pressed={chosen}
      title={`${word("entity_kind", type)} ${oneLine(value)}`}
      onClick={() => onWho(lane.key)}
    >
      <bdi>{oneLine(value)}</bdi>
    </button>
  );
}

function Axis({ span, plot, top, x }: { span: Span; plot: number; top: number; x: (ms: number) => number }) {
  const { zone } = useSettings();
  const offsetMs = zone === "utc" ? 0 : -new Date(span.fromMs).getTimezoneOffset() * MINUTE_MS;
  const { stepMs, atMs } = ticksOf(span, Math.max(2, Math.floor(plot / TICK_PX)), offsetMs);
  const label = (ms: number, first: boolean) => {
    const text = timeText(ms, zone);
    if (stepMs >= DAY_MS) return text.slice(5, 10);
    const clock = stepMs >= MINUTE_MS ? text.slice(11, 16) : text.slice(11, 19);
    return first ? `${text.slice(5, 10)} ${clock} ${offsetOf(ms, zone)}` : clock;
  };
  return (
    <g className={styles.axis}>
      {atMs.map((ms, i) => (
        <g key={ms} transform={`translate(${x(ms)} 0)`}>
          <line y1={0} y2={top + 4} />
          {x(ms) < plot - (i === 0 ? 116 : 32) && (i !== 1 || x(ms) - x(atMs[0] ?? 0) > 112) && (
            <text x={4} y={top + 15}>
              {label(ms, i === 0)}
            </text>
          )}
        </g>
      ))}
    </g>
  );
}

/** Dragging over the lanes chooses a part of them; pixels are from the frame's left edge. */
function useBrush(frame: { current: HTMLElement | null }, onBrush: (from: number, until: number) => void) {
  const [drag, setDrag] = useState<{ from: number; to: number }>();
  const place = (event: PointerEvent) => event.clientX - (frame.current?.getBoundingClientRect().left ?? 0);
  const long = drag && Math.abs(drag.to - drag.from) >= BRUSH_PX_MIN;
  const handlers = {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0 || (event.target as Element).closest("button, [data-mark]") || place(event) < NAME_PX) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      setDrag({ from: place(event), to: place(event) });
    },
    onPointerMove: (event: PointerEvent) => drag && setDrag({ ...drag, to: place(event) }),
    onPointerUp: () => {
      if (drag && long) onBrush(Math.min(drag.from, drag.to), Math.max(drag.from, drag.to));
      setDrag(undefined);
    },
    onPointerCancel: () => setDrag(undefined),
  };
  const drawn = long ? { left: Math.max(NAME_PX, Math.min(drag.from, drag.to)), width: Math.abs(drag.to - drag.from) } : undefined;
  return { handlers, drawn };
}
