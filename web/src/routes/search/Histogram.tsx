// Events over time; a dragged or keyed span becomes the range of the search.
import { type KeyboardEvent, type PointerEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Histogram as Counts } from "@/api/types";
import { count, short } from "@/lib/number";
import { useSettings, type Zone } from "@/lib/settings";
import { offsetOf, timeText } from "@/lib/time";
import { allBins, axisMarks, type Bin, binAt, roundUp } from "./bins";
import { spanLabel } from "./time-range";
import styles from "./Histogram.module.css";

/** Indexes of bins, both ends inside. */
interface Brush {
  start: number;
  end: number;
}

const MARK_WIDTH_PX = 110;

export function Histogram({ counts, onRange }: { counts: Counts; onRange: (fromMs: number, untilMs: number) => void }) {
  const { t } = useTranslation();
  const { zone } = useSettings();
  const hint = useId();
  const plot = useRef<HTMLDivElement>(null);
  const width = useWidth(plot);
  const [at, setAt] = useState<number | null>(null);
  const [brush, setBrush] = useState<Brush | null>(null);
  const bins = useMemo(() => allBins(counts), [counts]);
  const top = roundUp(Math.max(...bins.map((bin) => bin.count), 1));
  const first = bins[0];
  const last = bins.at(-1);
  if (!first || !last || counts.total === 0) return <div className={styles.none}>{t("search.histogram.none")}</div>;

  const choose = (chosen: Brush | null) => {
    setBrush(null);
    if (chosen) setAt(null);
    const [from, until] = chosen ? [bins[Math.min(chosen.start, chosen.end)], bins[Math.max(chosen.start, chosen.end)]] : [];
    if (from && until) onRange(from.fromMs, until.untilMs);
  };
  const place = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    return binAt((event.clientX - box.left) / box.width, bins.length);
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    const index = place(event);
    setAt(index);
    if (brush && event.buttons & 1) setBrush({ start: brush.start, end: index });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const here = at ?? (step > 0 ? -1 : bins.length);
    if (step !== 0 || event.key === "Home" || event.key === "End") {
      const next = event.key === "Home" ? 0 : event.key === "End" ? bins.length - 1 : Math.max(0, Math.min(bins.length - 1, here + step));
      setAt(next);
      setBrush(event.shiftKey ? { start: brush?.start ?? Math.max(0, here), end: next } : null);
    } else if (event.key === "Enter" && at !== null) choose(brush ?? { start: at, end: at });
    else if (event.key === "Escape" && (brush || at !== null)) {
      setBrush(null);
      setAt(null);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const shown = brush ? { from: bins[Math.min(brush.start, brush.end)], until: bins[Math.max(brush.start, brush.end)] } : at !== null ? { from: bins[at], until: bins[at] } : null;
  const most = bins.reduce((best, bin) => (bin.count > best.count ? bin : best), first);
  // What the picture says at a glance.
  const whole = t("search.histogram.whole", {
    events: t("search.histogram.events", { count: counts.total, number: count(counts.total) }),
    span: spanLabel(first.fromMs, last.untilMs, zone),
    most: count(most.count),
    when: spanLabel(most.fromMs, most.untilMs, zone),
  });
  const inside = shown?.from && shown.until ? sumOf(bins, shown.from, shown.until) : null;
  const said = inside ? `${spanLabel(inside.fromMs, inside.untilMs, zone)}: ${t("search.histogram.events", { count: inside.count, number: count(inside.count) })}` : "";
  return (
    <figure className={styles.chart} aria-label={t("search.histogram.label")}>
      <span className={styles.top} aria-hidden="true">
        {short(top)}
      </span>
      <div
        ref={plot}
        className={styles.plot}
        role="slider"
        tabIndex={0}
        aria-label={t("search.histogram.label")}
        aria-describedby={hint}
        aria-valuemin={0}
        aria-valuemax={bins.length - 1}
        aria-valuenow={at ?? 0}
        aria-valuetext={said || whole}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setBrush({ start: place(event), end: place(event) });
        }}
        onPointerMove={onPointerMove}
        onPointerUp={() => choose(brush)}
        onPointerCancel={() => setBrush(null)}
        onPointerLeave={() => !brush && setAt(null)}
      >
        <svg viewBox={`0 0 ${bins.length} 100`} preserveAspectRatio="none" aria-hidden="true">
          {brush && <rect className={styles.brush} x={Math.min(brush.start, brush.end)} width={Math.abs(brush.end - brush.start) + 1} y={0} height={100} />}
          {bins.map((bin, i) => {
            const height = bin.count === 0 ? 0 : Math.max(2, (bin.count / top) * 100);
            return <rect key={bin.fromMs} className={i === at ? styles.barAt : styles.bar} x={i + 0.1} width={0.8} y={100 - height} height={height} />;
          })}
        </svg>
        {inside && (
          <span className={styles.tip} style={tipPlace(inside.fromMs, inside.untilMs, first.fromMs, last.untilMs)}>
            {said}
          </span>
        )}
      </div>
      <Axis fromMs={first.fromMs} untilMs={last.untilMs} width={width} zone={zone} />
      <span id={hint} className="visually-hidden">
        {t("search.histogram.hint")}
      </span>
    </figure>
  );
}

function Axis({ fromMs, untilMs, width, zone }: { fromMs: number; untilMs: number; width: number; zone: Zone }) {
  const offsetMs = zone === "utc" ? 0 : -new Date(fromMs).getTimezoneOffset() * 60_000;
  const all = axisMarks(fromMs, untilMs, Math.max(2, Math.floor(width / MARK_WIDTH_PX)), offsetMs);
  const marks = all.filter(({ ms }) => (untilMs - ms) / (untilMs - fromMs) > MARK_WIDTH_PX / width);
  return (
    <div className={styles.axis} aria-hidden="true">
      {marks.map(({ ms, stepMs }) => (
        <span key={ms} style={{ left: `${((ms - fromMs) / (untilMs - fromMs)) * 100}%` }}>
          {markText(ms, stepMs, zone, offsetMs)}
        </span>
      ))}
      <span className={styles.offset}>{offsetOf(fromMs, zone)}</span>
    </div>
  );
}

/** The day at midnight and on long axes, else the time of day. */
function markText(ms: number, stepMs: number, zone: Zone, offsetMs: number): string {
  const text = timeText(ms, zone);
  if (stepMs >= 86_400_000) return text.slice(0, 10);
  if ((ms + offsetMs) % 86_400_000 === 0) return text.slice(5, 10);
  return stepMs < 60_000 ? text.slice(11, 19) : text.slice(11, 16);
}

function sumOf(bins: readonly Bin[], from: Bin, until: Bin): Bin {
  const within = bins.filter((bin) => bin.fromMs >= from.fromMs && bin.untilMs <= until.untilMs);
  return { fromMs: from.fromMs, untilMs: until.untilMs, count: within.reduce((sum, bin) => sum + bin.count, 0) };
}

function tipPlace(fromMs: number, untilMs: number, startMs: number, endMs: number): { left?: string; right?: string } {
  const middle = ((fromMs + untilMs) / 2 - startMs) / (endMs - startMs);
  return middle < 0.5 ? { left: `${middle * 100 + 1}%` } : { right: `${(1 - middle) * 100 + 1}%` };
}

function useWidth(element: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(1_000);
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    const observer = new ResizeObserver(() => setWidth(target.clientWidth));
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);
  return width;
}
