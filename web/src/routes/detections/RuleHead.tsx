// The head of a rule: title, what it is for, what it covers, and its figures.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { RuleDetail } from "@/api/types";
import { Age, Changing, CopyButton, Icon, SeverityMark } from "@/components";
import { useTacticName } from "@/i18n/words";
import { count, percent } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import styles from "./Detection.module.css";
import { Switch } from "./Switch";
import { isNoisy, noiseOf, sourceText, tacticsOf, techniquesOf } from "./rules";

export function RuleHead({ rule, total }: { rule: RuleDetail; total: number }) {
  const { t } = useTranslation();
  const tacticName = useTacticName();
  const description = oneLine(rule.description.trim().replace(/\s+/g, " "));
  return (
    <header className={styles.head}>
      <div className={styles.what}>
        <p className={styles.crumbs}>
          <Link to="/detections">{t("page.detections")}</Link>
          <Icon name="right" size={12} />
          <code>{oneLine(rule.id)}</code>
          <CopyButton text={rule.id} label={t("detections.copy_id")} />
        </p>
        <p className={styles.name} aria-hidden="true">
          {oneLine(rule.title)}
        </p>
        <p className={styles.about}>
          {rule.level && <SeverityMark value={rule.level} />}
          <span>{t(`detections.kind_${rule.kind}` as "detections.kind_rule", { defaultValue: rule.kind })}</span>
          {rule.status && <span>{t(`detections.status_${rule.status}` as "detections.status_test", { defaultValue: oneLine(rule.status) })}</span>}
          {sourceText(rule) && <span>{oneLine(sourceText(rule))}</span>}
          {tacticsOf(rule).map((tactic) => (
            <Link key={tactic} to="/detections" search={{ tactic }} className={styles.tactic}>
              {tacticName(tactic)}
            </Link>
          ))}
          {techniquesOf(rule).map((technique) => (
            <code key={technique}>{technique}</code>
          ))}
        </p>
        {description && (
          <p className={styles.description} title={description}>
            {description}
          </p>
        )}
        <Switch rule={rule} />
      </div>
      <dl className={styles.figures}>
        <Figure name={t("detections.findings")}>
          <Changing value={rule.findings}>{count(rule.findings)}</Changing>
        </Figure>
        <Figure name={t("detections.matches")}>{count(rule.matches)}</Figure>
        <Figure name={t("detections.incidents")}>
          <Changing value={rule.incidents}>{count(rule.incidents)}</Changing>
        </Figure>
        <Figure name={t("detections.noise")} note={isNoisy(rule, total) ? t("detections.noisy") : undefined}>
          {total > 0 && rule.findings > 0 ? percent(noiseOf(rule, total)) : "–"}
        </Figure>
        <Figure name={t("detections.last")}>
          <Age value={rule.last_time_dt} />
        </Figure>
      </dl>
    </header>
  );
}

function Figure({ name, note, children }: { name: string; note?: string | undefined; children: ReactNode }) {
  return (
    <div>
      <dt>
        {name}
        {note && <span className={styles.warn}> {note}</span>}
      </dt>
      <dd>{children}</dd>
    </div>
  );
}
