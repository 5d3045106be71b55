// A verdict in one line: from the prior to the posterior between the two thresholds.
import { useTranslation } from "react-i18next";
import type { Verdict3 } from "@/api/types";
import { percent } from "@/lib/number";
import styles from "./OddsBar.module.css";
import { BLACK_ABOVE, WHITE_BELOW } from "./waterfall";

/** The axis ends here, in log-odds; what lies beyond is drawn at the end. */
const LEAST = -7;
const MOST = 13;

export function OddsBar({ prior, posterior, verdict }: { prior: number; posterior: number; verdict: Verdict3 }) {
  const { t } = useTranslation();
  const at = (logOdds: number) => ((Math.max(LEAST, Math.min(MOST, logOdds)) - LEAST) / (MOST - LEAST)) * 100;
  const [from, to] = [at(Math.min(prior, posterior)), at(Math.max(prior, posterior))];
  return (
    <>
      <div className={styles.track} aria-hidden="true">
        <span className={styles.white} style={{ left: `${at(WHITE_BELOW)}%` }} />
        <span className={styles.black} style={{ left: `${at(BLACK_ABOVE)}%` }} />
        <span className={styles.bar} style={{ left: `${from}%`, width: `${to - from}%` }} />
        <span className={styles.end} data-verdict={verdict} style={{ left: `${at(posterior)}%` }} />
      </div>
      <span className="visually-hidden">{t("entities.from_to_said", { prior: percent(share(prior)), posterior: percent(share(posterior)) })}</span>
    </>
  );
}

/** The probability of log-odds. */
function share(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}
