// The tactics of an incident as a chain in the order of the matrix; those not seen are gaps.
import { useTranslation } from "react-i18next";
import type { TimelineStep } from "@/api/types";
import { useTacticName } from "@/i18n/words";
import { count } from "@/lib/number";
import styles from "./KillChain.module.css";
import { chainOf } from "./tactics";

export function KillChain({ steps, chosen, onChoose }: {
  steps: readonly TimelineStep[];
  chosen: string | undefined;
  onChoose: (tactic: string | undefined) => void;
}) {
  const { t } = useTranslation();
  const name = useTacticName();
  return (
    <ol className={styles.chain} aria-label={t("incidents.tactics")}>
      {chainOf(steps).map(({ tactic, findings }) =>
        findings === 0 ? (
          <li key={tactic} className={styles.gap} title={t("incidents.tactic_unseen", { tactic: name(tactic) })}>
            <span className="visually-hidden">{t("incidents.tactic_unseen", { tactic: name(tactic) })}</span>
          </li>
        ) : (
          <li key={tactic} className={styles.link}>
            <button
              type="button"
              aria-pressed={chosen === tactic}
              title={t("incidents.tactic_only", { tactic: name(tactic) })}
              onClick={() => onChoose(chosen === tactic ? undefined : tactic)}
            >
              <span className="clip">{name(tactic)}</span>
              <span className={styles.count}>{count(findings)}</span>
            </button>
          </li>
        ),
      )}
    </ol>
  );
}
