// Coverage by ATT&CK tactic as a strip: how many rules look for each, and what they found; a tactic narrows the list.
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { RuleSummary } from "@/api/types";
import { useTacticName } from "@/i18n/words";
import { short } from "@/lib/number";
import styles from "./CoverageStrip.module.css";
import { coverageOf } from "./rules";

export function CoverageStrip({ rules, chosen, onChoose }: {
  rules: readonly RuleSummary[];
  chosen: string | undefined;
  onChoose: (tactic: string | undefined) => void;
}) {
  const { t } = useTranslation();
  const tacticName = useTacticName();
  const coverage = useMemo(() => coverageOf(rules), [rules]);
  const most = Math.max(1, ...coverage.map((one) => one.rules));
  return (
    <div className={styles.strip} role="group" aria-label={t("detections.coverage")}>
      {coverage.map((one) => (
        <button
          key={one.tactic}
          type="button"
          className={styles.tactic}
          aria-pressed={one.tactic === chosen}
          data-none={one.rules === 0 || undefined}
          onClick={() => onChoose(one.tactic === chosen ? undefined : one.tactic)}
        >
          <span className={styles.name}>{tacticName(one.tactic)}</span>
          <span className={styles.figures}>
            {one.rules === 0 ? (
              t("detections.no_coverage")
            ) : (
              <>
                <span className={styles.rules}>{t("detections.rules", { count: one.rules })}</span>
                {one.findings > 0 && (
                  <span className={styles.findings} title={t("detections.findings_of", { count: one.findings })}>
                    <span aria-hidden="true">{short(one.findings)}</span>
                    <span className="visually-hidden">{t("detections.findings_of", { count: one.findings })}</span>
                  </span>
                )}
              </>
            )}
          </span>
          <span className={styles.track} aria-hidden="true">
            <span style={{ width: `${(one.rules / most) * 100}%` }} />
          </span>
        </button>
      ))}
    </div>
  );
}
