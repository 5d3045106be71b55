// The answer of a pipe as bars: over time, or of one category.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "@/components";
import { count, short } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { useSettings } from "@/lib/settings";
import { timeText } from "@/lib/time";
import { roundUp } from "./bins";
import type { Chart } from "./pipe-chart";
import styles from "./PipeChart.module.css";

export function PipeChart({ chart }: { chart: Chart }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(true);
  const by = chart.kind === "time" ? chart.time : chart.category;
  const name = t("search.pipe.chart", { number: oneLine(chart.number), by: oneLine(by) });
  return (
    <figure className={styles.chart} aria-label={name}>
      <figcaption className={styles.head}>
        <button type="button" className={styles.toggle} aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name={open ? "down" : "right"} size={12} />
          {name}
        </button>
        {open && chart.kind === "time" && chart.series.length > 1 && <Legend chart={chart} />}
      </figcaption>
      {open && (chart.kind === "time" ? <OverTime chart={chart} /> : <ByCategory chart={chart} />)}
    </figure>
  );
}

type TimeChart = Extract<Chart, { kind: "time" }>;
type CategoryChart = Extract<Chart, { kind: "category" }>;

function Legend({ chart }: { chart: TimeChart }) {
  const { t } = useTranslation();
  return (
    <ul className={styles.legend}>
      {chart.series.map((one, i) => (
        <li key={one.name}>
          <span className={styles.swatch} data-series={i} aria-hidden="true" />
          {one.name === "" ? t("search.pipe.others") : oneLine(one.name)} <span className="muted num">{short(one.total)}</span>
        </li>
      ))}
    </ul>
  );
}

function OverTime({ chart }: { chart: TimeChart }) {
  const { zone } = useSettings();
  const { t } = useTranslation();
  const [at, setAt] = useState<number | null>(null);
  const { times, series } = chart;
  const first = times[0] ?? 0;
  const last = times.at(-1) ?? 1;
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  const step = Math.max(1, Math.min(...gaps));
  const whole = last - first + step;
  const sums = times.map((time) => series.reduce((sum, one) => sum + (one.points.get(time) ?? 0), 0));
  const top = roundUp(Math.max(...sums, 1));
  const shown = at === null ? undefined : times[at];
  return (
    <div className={styles.over}>
      <span className={styles.top}>{short(top)}</span>
      <svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label={t("search.pipe.chart_label", { count: times.length, top: count(Math.max(...sums)) })} onMouseLeave={() => setAt(null)}>
        {times.map((time, i) => {
          const x = ((time - first) / whole) * 1000;
          const width = Math.max(1, (step / whole) * 1000 * 0.84);
          let y = 100;
          return (
            <g key={time} onMouseEnter={() => setAt(i)} className={i === at ? styles.at : undefined}>
              <rect className={styles.hit} x={x} y={0} width={(step / whole) * 1000} height={100} />
              {series.map((one, n) => {
                const height = ((one.points.get(time) ?? 0) / top) * 100;
                y -= height;
                return <rect key={one.name} data-series={n} className={styles.bar} x={x} y={y} width={width} height={height} />;
              })}
            </g>
          );
        })}
      </svg>
      <div className={styles.times}>
        <span>{timeText(first, zone)}</span>
        <span className={styles.said}>
          {shown !== undefined && at !== null && `${timeText(shown, zone)}: ${series.map((one) => `${series.length > 1 ? `${one.name === "" ? t("search.pipe.others") : oneLine(one.name)} ` : ""}${count(one.points.get(shown) ?? 0)}`).join(" · ")}`}
        </span>
        <span>{timeText(last, zone)}</span>
      </div>
    </div>
  );
}

function ByCategory({ chart }: { chart: CategoryChart }) {
  const { t } = useTranslation();
  const top = Math.max(...chart.bars.map((bar) => Math.abs(bar.value)), 1);
  return (
    <ul className={styles.bars}>
      {chart.bars.map((bar, i) => (
        <li key={`${i}/${bar.name}`}>
          <bdi className="clip">{oneLine(bar.name) || t("search.facets.empty")}</bdi>
          <span className={styles.track}>
            <span style={{ width: `${(Math.abs(bar.value) / top) * 100}%` }} />
          </span>
          <span className="num">{count(bar.value)}</span>
        </li>
      ))}
      {chart.more > 0 && <li className={styles.rest}>{t("search.pipe.more_bars", { count: chart.more, number: count(chart.more) })}</li>}
    </ul>
  );
}
