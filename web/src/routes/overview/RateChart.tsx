// Records and matches of the last ten minutes, as an own drawing with a hidden table for screen readers.
import { memo, type PointerEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Overview } from "@/api/types";
import { Panel } from "@/components";
import { count, rate, short } from "@/lib/number";
import { useSettings } from "@/lib/settings";
import { offsetOf, timeText } from "@/lib/time";
import { byMinute, inWindow, roundUp } from "./figures";
import styles from "./RateChart.module.css";

type Series = Overview["series"];
type Values = readonly (number | undefined)[];

const TICK_MS = 120_000;

export const RateChart = memo(function RateChart({ series, className }: { series: Series; className?: string | undefined }) {
  const { t } = useTranslation();
  const { zone } = useSettings();
  const [at, setAt] = useState<number | null>(null);
  const { startMs, stepMs, perSecond, matches } = inWindow(series);
  const steps = perSecond.length;
  const i = at === null ? null : Math.min(steps - 1, Math.floor(at * steps));
  const hover = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    setAt(Math.max(0, Math.min(0.9999, (event.clientX - box.left) / box.width)));
  };
  const readout =
    i === null
      ? t("overview.chart.zone", { offset: offsetOf(startMs, zone) })
      : t("overview.chart.readout", {
          time: timeText(startMs + i * stepMs, zone, "clock"),
          rate: rate(perSecond[i] ?? 0),
          matches: count(matches[i] ?? 0),
        });
  return (
    <Panel className={className} title={t("overview.chart.title")} aside={<span className="num">{readout}</span>} flush>
      {series.records.length === 0 ? (
        <p className={styles.none}>{t("state.empty_data")}</p>
      ) : (
        <div className={styles.chart}>
          <Pane name={t("overview.chart.records")} top={topOf(perSecond)} values={perSecond} kind="area" at={i} />
          <Pane name={t("overview.chart.matches")} top={topOf(matches)} values={matches} kind="bars" at={i} />
          <TimeAxis startMs={startMs} spanMs={steps * stepMs} />
          <div className={styles.catcher} onPointerMove={hover} onPointerLeave={() => setAt(null)} />
        </div>
      )}
      <MinuteTable series={series} />
    </Panel>
  );
});

function topOf(values: Values): number {
  return roundUp(Math.max(1, ...values.map((value) => value ?? 0)));
}

function Pane({ name, top, values, kind, at }: { name: string; top: number; values: Values; kind: "area" | "bars"; at: number | null }) {
  return (
    <div className={styles.pane} data-kind={kind} aria-hidden="true">
      <span className={styles.name}>{name}</span>
      <div className={styles.scale}>
        <span className={styles.top}>{short(top)}</span>
        <span className={styles.zero}>0</span>
      </div>
      <div className={styles.plot}>
        <svg viewBox="0 0 1000 100" preserveAspectRatio="none" focusable="false">
          {kind === "area" ? <Area values={values} top={top} /> : <Bars values={values} top={top} at={at} />}
        </svg>
        {at !== null && <span className={styles.cursor} style={{ left: `${((at + 0.5) / values.length) * 100}%` }} />}
      </div>
    </div>
  );
}

function Area({ values, top }: { values: Values; top: number }) {
  const step = 1_000 / values.length;
  const points = values.flatMap((value, i) => (value === undefined ? [] : `${((i + 0.5) * step).toFixed(1)},${(100 - (value / top) * 100).toFixed(2)}`));
  const first = (values.findIndex((value) => value !== undefined) + 0.5) * step;
  return (
    <>
      <polygon className={styles.fill} points={`${first},100 ${points.join(" ")} ${1_000 - step / 2},100`} />
      <polyline className={styles.line} points={points.join(" ")} />
    </>
  );
}

function Bars({ values, top, at }: { values: Values; top: number; at: number | null }) {
  const step = 1_000 / values.length;
  return values.map((value, i) => {
    const height = ((value ?? 0) / top) * 100;
    return (
      height > 0 && (
        <rect key={i} className={styles.bar} data-at={i === at || undefined} x={i * step + step * 0.15} width={step * 0.7} y={100 - height} height={height} />
      )
    );
  });
}

function TimeAxis({ startMs, spanMs }: { startMs: number; spanMs: number }) {
  const { zone } = useSettings();
  const ticks: number[] = [];
  for (let ms = Math.ceil(startMs / TICK_MS) * TICK_MS; ms < startMs + spanMs; ms += TICK_MS) ticks.push(ms);
  return (
    <div className={styles.times} aria-hidden="true">
      {ticks.map((ms) => (
        <span key={ms} style={{ left: `${((ms - startMs) / spanMs) * 100}%` }}>
          {timeText(ms, zone, "clock").slice(0, 5)}
        </span>
      ))}
    </div>
  );
}

function MinuteTable({ series }: { series: Series }) {
  const { t } = useTranslation();
  const { zone } = useSettings();
  return (
    <div className="visually-hidden">
      <table>
        <caption>{t("overview.chart.title")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("overview.chart.minute")}</th>
            <th scope="col">{t("overview.chart.records")}</th>
            <th scope="col">{t("overview.chart.matches")}</th>
          </tr>
        </thead>
        <tbody>
          {byMinute(series).map((row) => (
            <tr key={row.ms}>
              <th scope="row">{timeText(row.ms, zone, "clock")}</th>
              <td>{rate((row.records * 1_000) / row.spanMs)}</td>
              <td>{count(row.matches)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
