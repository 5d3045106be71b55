// The funnel as the picture it is: five counts on one log scale, and what each step keeps.
import { Link } from "@tanstack/react-router";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import type { Books, Overview } from "@/api/types";
import { Changing } from "@/components";
import { count, rate, short } from "@/lib/number";
import { decadesOf, logShare, ratioOf, ticksOf } from "./figures";
import styles from "./Funnel.module.css";

interface Cell {
  id: "records" | "events" | "findings" | "entities" | "incidents";
  to: "/search" | "/detections" | "/entities" | "/incidents";
  n: number;
  /** A second figure below the count. */
  note: ReactNode;
}

export function Funnel({ funnel, rates, books, attention }: Pick<Overview, "funnel" | "rates" | "books"> & { attention: number }) {
  const { t } = useTranslation();
  const cells: Cell[] = [
    { id: "records", to: "/search", n: funnel.records, note: rate(rates.records_per_s) },
    { id: "events", to: "/search", n: funnel.events, note: rate(rates.events_per_s) },
    { id: "findings", to: "/detections", n: funnel.findings, note: t("overview.funnel.of_matches", { count: funnel.matches, shown: count(funnel.matches) }) },
    { id: "entities", to: "/entities", n: funnel.entities, note: t("overview.funnel.not_white") },
    { id: "incidents", to: "/incidents", n: funnel.incidents, note: t("overview.funnel.undecided", { count: attention, shown: attention >= ATTENTION_MAX && funnel.incidents > attention ? `${attention}+` : count(attention) }) },
  ];
  const decades = decadesOf(cells.map((cell) => cell.n));
  return (
    <section className={styles.funnel} aria-label={t("overview.funnel.label")}>
      <Axis decades={decades} />
      <ol className={styles.cells}>
        {cells.map((cell, i) => (
          <FunnelCell key={cell.id} cell={cell} next={cells[i + 1]} decades={decades} books={i === 0 ? books : undefined} />
        ))}
      </ol>
    </section>
  );
}

function Axis({ decades }: { decades: number }) {
  const { t } = useTranslation();
  return (
    <div className={styles.axis} aria-hidden="true">
      <span className={styles.axisTitle}>{t("overview.funnel.scale")}</span>
      <div className={styles.ticks}>
        {ticksOf(decades).map((tick) => (
          <span key={tick} style={{ bottom: `${logShare(tick, decades) * 100}%` }}>
            {short(tick)}
          </span>
        ))}
      </div>
    </div>
  );
}

/** The server lists at most this many undecided incidents. */
const ATTENTION_MAX = 10;

/** Where the bar of a cell ends and the slope to the next one begins, per cent of the cell. */
const BAR_END = 54;

function FunnelCell({ cell, next, decades, books }: { cell: Cell; next: Cell | undefined; decades: number; books: Books | undefined }) {
  const { t } = useTranslation();
  const ratio = useRatioText()(cell.n, next?.n);
  const top = 100 - logShare(cell.n, decades) * 100;
  const nextTop = next ? 100 - logShare(next.n, decades) * 100 : 100;
  const broken = books !== undefined && books.gap !== 0;
  return (
    <li className={styles.cell}>
      <Link to={cell.to} className={styles.link}>
        <span className={styles.name}>{t(`overview.funnel.${cell.id}`)}</span>
        <span className={styles.count}>{cell.id === "records" || cell.id === "events" ? count(cell.n) : <Changing value={cell.n}>{count(cell.n)}</Changing>}</span>
        <span className={styles.note}>{cell.note}</span>
        <span className={styles.picture} aria-hidden="true">
          {ticksOf(decades).slice(1).map((tick) => (
            <span key={tick} className={styles.grid} style={{ bottom: `${logShare(tick, decades) * 100}%` }} />
          ))}
          <svg className={styles.shape} viewBox="0 0 100 100" preserveAspectRatio="none" focusable="false">
            {next && <polygon className={styles.slope} points={`${BAR_END},${top} 100,${nextTop} 100,100 ${BAR_END},100`} />}
            {broken ? <BrokenBar top={top} /> : <rect className={styles.bar} x="0" y={top} width={BAR_END} height={100 - top} />}
          </svg>
          {ratio && (
            <span className={styles.ratio} style={{ left: `${BAR_END}%` }}>
              {ratio}
            </span>
          )}
        </span>
        {next && ratio && <span className="visually-hidden">{t("overview.funnel.then", { ratio, next: t(`overview.funnel.${next.id}`) })}</span>}
        {broken && (
          <span className={styles.gap}>
            <span className={styles.swatch} aria-hidden="true" />
            {t("overview.books.missing", { shown: count(books.gap) })}
          </span>
        )}
      </Link>
    </li>
  );
}

/** The bar with a hatched break: received records of which the books do not know what became. */
function BrokenBar({ top }: { top: number }) {
  const id = useId();
  const height = 100 - top;
  return (
    <>
      <defs>
        <pattern id={id} width="2.6" height="9" patternUnits="userSpaceOnUse" patternTransform="skewX(-12)">
          <rect className={styles.hatch} width="1.1" height="9" />
        </pattern>
      </defs>
      <rect className={styles.bar} x="0" y={top} width="5" height={height} />
      <rect x="6.4" y={top} width="7.2" height={height} fill={`url(#${id})`} />
      <rect className={styles.bar} x="15" y={top} width={BAR_END - 15} height={height} />
    </>
  );
}

function useRatioText(): (before: number, after: number | undefined) => string | undefined {
  const { t } = useTranslation();
  return (before, after) => {
    const ratio = ratioOf(before, after ?? 0);
    if (ratio.kind === "one_in") return t("overview.funnel.one_in", { n: short(ratio.n) });
    if (ratio.kind === "times") return t("overview.funnel.times", { n: short(ratio.n) });
    return ratio.kind === "same" ? t("overview.funnel.same") : undefined;
  };
}
