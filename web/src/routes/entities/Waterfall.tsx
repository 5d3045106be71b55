// Why an entity stands where it stands: log-odds from the prior through each finding to the posterior.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Severity, Standing } from "@/api/types";
import { SeverityMark, VerdictMark } from "@/components";
import { useWord } from "@/i18n/words";
import { percent, signed } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { BLACK_ABOVE, reasonParts, type WaterfallRow, waterfallOf, WHITE_BELOW } from "./waterfall";
import styles from "./Waterfall.module.css";

export function Waterfall({ standing, step, onStep }: {
  standing: Standing;
  /** The finding that is chosen elsewhere. */
  step?: string | undefined;
  onStep?: (finding: string) => void;
}) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const { rows, least, most } = waterfallOf(standing, open);
  const at = (logOdds: number) => ((logOdds - least) / (most - least)) * 100;
  return (
    <table className={styles.table}>
      <caption className="visually-hidden">{t("entities.waterfall_of", { name: oneLine(standing.entity.value) })}</caption>
      <thead>
        <tr>
          <th scope="col">{t("entities.contribution")}</th>
          <th scope="col">
            <span className="visually-hidden">{t("entities.running")}</span>
            <Thresholds at={at} />
          </th>
          <th scope="col" className={styles.end}>
            {t("entities.log_odds")}
          </th>
          <th scope="col">
            <span className="visually-hidden">{t("entities.effect")}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.key} className={styles[row.kind]} data-chosen={(row.finding !== undefined && row.finding === step) || undefined}>
            <th scope="row">
              <Name row={row} open={open} onFold={() => setOpen(!open)} onStep={onStep} />
            </th>
            <td>
              <span className="visually-hidden">{signed(row.to)}</span>
              <Bar row={row} at={at} />
            </td>
            <td className={styles.number}>{signed(row.added)}</td>
            <td className={styles.flip}>
              <Effect row={row} standing={standing} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Thresholds({ at }: { at: (logOdds: number) => number }) {
  const { t } = useTranslation();
  return (
    <div className={styles.scale} aria-hidden="true">
      <span className={styles.below} style={{ right: `${100 - at(WHITE_BELOW)}%` }} title={t("entities.white_below", { share: percent(0.2) })}>
        <VerdictMark value="white" bare />
      </span>
      <span className={styles.above} style={{ left: `${at(BLACK_ABOVE)}%` }} title={t("entities.black_above", { share: percent(0.8) })}>
        <VerdictMark value="black" bare />
      </span>
    </div>
  );
}

function Name({ row, open, onFold, onStep }: {
  row: WaterfallRow;
  open: boolean;
  onFold: () => void;
  onStep: ((finding: string) => void) | undefined;
}) {
  const { t } = useTranslation();
  const why = useReason();
  if (row.kind === "folded") {
    return (
      <button type="button" className={styles.link} aria-expanded={open} onClick={onFold}>
        {t("entities.more_contributions", { count: row.count ?? 0 })}
      </button>
    );
  }
  if (row.kind !== "finding") return <span title={t(`entities.about_${row.kind}`)}>{t(`entities.row_${row.kind}`)}</span>;
  const title = oneLine(row.title ?? "");
  const { finding } = row;
  return (
    <span className={styles.titled} title={`${title}\n${why(row.reason ?? "")}`}>
      {row.level && <SeverityMark value={row.level} bare />}
      {onStep && finding ? (
        <button type="button" className={styles.link} onClick={() => onStep(finding)}>
          <bdi>{title}</bdi>
        </button>
      ) : (
        <bdi className="clip">{title}</bdi>
      )}
    </span>
  );
}

function Bar({ row, at }: { row: WaterfallRow; at: (logOdds: number) => number }) {
  const total = row.kind === "prior" || row.kind === "posterior";
  const [from, to] = [at(total ? 0 : row.from), at(row.to)];
  const left = Math.min(from, to);
  return (
    <div className={styles.track} aria-hidden="true">
      <span className={styles.zero} style={{ left: `${at(0)}%` }} />
      <span className={styles.white} style={{ left: `${at(WHITE_BELOW)}%` }} />
      <span className={styles.black} style={{ left: `${at(BLACK_ABOVE)}%` }} />
      {!total && <span className={styles.before} style={{ left: `${from}%` }} />}
      <span className={styles.bar} data-sign={row.added < 0 ? "minus" : "plus"} style={{ left: `${left}%`, width: `max(2px, ${Math.abs(to - from)}%)` }} />
    </div>
  );
}

function Effect({ row, standing }: { row: WaterfallRow; standing: Standing }) {
  const { t } = useTranslation();
  const word = useWord();
  if (row.kind === "posterior") {
    return (
      <span className={styles.result} title={percent(standing.probability)}>
        <VerdictMark value={standing.verdict} />
      </span>
    );
  }
  if (row.kind === "prior") return <span className="muted">{percent(1 / (1 + Math.exp(-row.to)))}</span>;
  if (!row.without) return null;
  const verdict = word("verdict", row.without);
  return (
    <span className={styles.would} title={t("entities.would_flip_detail", { verdict })}>
      {t("entities.would_flip")} <VerdictMark value={row.without} bare />
    </span>
  );
}

/** The reason of a weight in the viewer's language where its form is known. */
export function useReason(): (reason: string) => string {
  const { t } = useTranslation();
  const word = useWord();
  return (reason) => {
    const parts = reasonParts(reason);
    if (!parts) return oneLine(reason);
    const said = t("entities.reason", { ...parts, level: word("severity", parts.level as Severity), kind: parts.kind.replaceAll("_", " ") });
    return parts.repeat === undefined ? said : `${said}${t("entities.reason_counted", { ...parts })}`;
  };
}
