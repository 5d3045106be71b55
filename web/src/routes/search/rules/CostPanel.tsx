// What a run would read, before it is begun.
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { RuleHuntCost } from "@/api/types";
import { SeverityMark } from "@/components";
import { bytes, count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import styles from "./CostPanel.module.css";
import { filesToRead, inOrder } from "./rule-hunt";

export function CostPanel({ cost }: { cost: RuleHuntCost }) {
  const { t } = useTranslation();
  const files = filesToRead(cost);
  return (
    <section className={styles.cost} aria-label={t("search.hunt.rules.cost")} tabIndex={0}>
      <h3>{t("search.hunt.rules.cost")}</h3>
      {cost.sources.length === 0 && <p className={styles.none}>{t("search.hunt.rules.no_source")}</p>}
      <dl className={styles.figures}>
        <Figure name={t("search.hunt.rules.records")}>{t("search.hunt.rules.at_most", { number: count(cost.records) })}</Figure>
        <Figure name={t("search.hunt.rules.bytes")}>{t("search.hunt.rules.at_most", { number: bytes(cost.bytes) })}</Figure>
        <Figure name={t("search.hunt.rules.files")}>{count(files)}</Figure>
        <Figure name={t("search.hunt.rules.passed_over")}>{count(cost.files_passed_over)}</Figure>
      </dl>
      <h4>{t("search.hunt.rules.rules_of", { count: cost.rules.length, number: count(cost.rules.length) })}</h4>
      <ul className={styles.rules}>
        {inOrder(cost.rules).map((rule) => (
          <li key={rule.id}>
            <SeverityMark value={rule.level} bare />
            <span className="clip" title={oneLine(rule.title)}>
              {oneLine(rule.title || rule.id)}
            </span>
            <span className="muted">{t(`detections.kind_${rule.kind}` as "detections.kind_rule", { defaultValue: rule.kind })}</span>
          </li>
        ))}
      </ul>
      {cost.sources.length > 0 && (
        <>
          <h4>{t("search.hunt.rules.sources_of", { count: cost.sources.length, number: count(cost.sources.length) })}</h4>
          <ul className={styles.sources}>
            {cost.sources.map((source) => (
              <li key={source}>{oneLine(source)}</li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
