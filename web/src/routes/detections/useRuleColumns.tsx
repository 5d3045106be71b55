// The columns of the list of rules.
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { RuleSummary } from "@/api/types";
import { Age, Changing, type Column, Icon, SeverityMark } from "@/components";
import { useTacticName } from "@/i18n/words";
import { count, percent } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import styles from "./Detections.module.css";
import { isNoisy, keyOf, levelRank, noiseOf, sourceText, tacticsOf, techniquesOf, whyAlwaysOn } from "./rules";
import switchStyles from "./Switch.module.css";

/** `onSwitch` gets the id of a rule that somebody wants to switch off or on. */
export function useRuleColumns(total: number, onSwitch: (id: string) => void): Column<RuleSummary>[] {
  const { t } = useTranslation();
  const tacticName = useTacticName();
  return useMemo(
    () => [
      {
        id: "level",
        header: t("severity.label"),
        width: 88,
        value: levelRank,
        cell: (rule) => (rule.level ? <SeverityMark value={rule.level} /> : <span className="muted">–</span>),
      },
      { id: "title", header: t("detections.rule"), width: 260, grow: 3, fixed: true, value: (rule) => rule.title || rule.path, cell: (rule) => <Title rule={rule} /> },
      { id: "on", header: t("detections.on"), width: 84, value: (rule) => Number(rule.enabled), cell: (rule) => <Toggle rule={rule} onSwitch={onSwitch} /> },
      { id: "kind", header: t("detections.kind"), width: 104, value: (rule) => rule.kind, cell: (rule) => <span className="muted">{t(`detections.kind_${rule.kind}` as "detections.kind_rule", { defaultValue: rule.kind })}</span> },
      { id: "source", header: t("detections.source"), width: 168, grow: 1, value: sourceText, cell: (rule) => <span className="muted">{oneLine(sourceText(rule)) || "–"}</span> },
      {
        id: "tactics",
        header: t("detections.tactics"),
        width: 160,
        hidden: true,
        value: (rule) => tacticsOf(rule).map(tacticName).join(", "),
      },
      { id: "techniques", header: t("detections.techniques"), width: 110, hidden: true, value: (rule) => techniquesOf(rule).join(", ") },
      { id: "status", header: t("detections.status"), width: 104, hidden: true, value: (rule) => rule.status },
      { id: "path", header: t("detections.path"), width: 220, hidden: true, code: true, value: (rule) => oneLine(rule.path) },
      {
        id: "findings",
        header: t("detections.findings"),
        width: 96,
        align: "end",
        value: (rule) => rule.findings,
        cell: (rule) => <Figure n={rule.findings} live />,
      },
      { id: "matches", header: t("detections.matches"), width: 80, align: "end", value: (rule) => rule.matches, cell: (rule) => <Figure n={rule.matches} /> },
      { id: "incidents", header: t("detections.incidents"), width: 96, align: "end", value: (rule) => rule.incidents, cell: (rule) => <Figure n={rule.incidents} live /> },
      { id: "last", header: t("detections.last"), width: 92, align: "end", value: (rule) => rule.last_time_dt, cell: (rule) => <Age value={rule.last_time_dt} /> },
      { id: "noise", header: t("detections.noise"), width: 128, value: (rule) => rule.findings, cell: (rule) => <Noise rule={rule} total={total} /> },
    ],
    [t, tacticName, total, onSwitch],
  );
}

/** The columns while only faulty rules are shown: what is wrong with them, and where; `tight` beside the one explained. */
export function useFaultColumns(tight: boolean): Column<RuleSummary>[] {
  const { t } = useTranslation();
  return useMemo(() => {
    const all: Column<RuleSummary>[] = [
      { id: "title", header: t("detections.rule"), width: 220, grow: 2, fixed: true, value: (rule) => oneLine(rule.title || rule.path) },
      { id: "path", header: t("detections.path"), width: 200, grow: 2, fixed: true, code: true, cell: (rule) => <Path path={rule.path} />, value: (rule) => rule.path },
      { id: "line", header: t("detections.at_line"), width: 64, align: "end", fixed: true, value: (rule) => rule.error?.line, cell: (rule) => <span>{rule.error?.line ?? "–"}</span> },
      {
        id: "problem",
        header: t("detections.problem"),
        width: tight ? 200 : 320,
        grow: 4,
        fixed: true,
        value: (rule) => rule.error?.message,
        cell: (rule) => <span title={oneLine(rule.error?.message ?? "")}>{oneLine(rule.error?.message ?? "")}</span>,
      },
      { id: "code", header: t("state.code"), width: 160, code: true, fixed: true, value: (rule) => rule.error?.code },
    ];
    return tight ? all.filter((column) => column.id !== "title" && column.id !== "code") : all;
  }, [t, tight]);
}

/** The end of a path says most. */
function Path({ path }: { path: string }) {
  return (
    <span className={styles.path} title={oneLine(path)}>
      <bdi>{oneLine(path)}</bdi>
    </span>
  );
}

function Title({ rule }: { rule: RuleSummary }) {
  const { t } = useTranslation();
  const title = oneLine(rule.title || rule.path);
  return (
    <span className={styles.title}>
      {rule.error && (
        <span className={styles.fault} title={t("detections.fault", { message: oneLine(rule.error.message) })}>
          <Icon name="warning" size={14} />
          <span>{t("detections.fault_word")}</span>
        </span>
      )}
      {rule.error ? (
        <Link to="/detections" search={{ state: "broken", fault: keyOf(rule) }} className="clip" title={title}>
          {title}
        </Link>
      ) : (
        <Link to="/detections/$id" params={{ id: rule.id }} className="clip" title={title}>
          {title}
        </Link>
      )}
    </span>
  );
}

/** Whether a rule is on; pressed, it asks for a reason and switches. */
function Toggle({ rule, onSwitch }: { rule: RuleSummary; onSwitch: (id: string) => void }) {
  const { t } = useTranslation();
  if (!rule.id) return <span className={styles.zero}>–</span>;
  const why = whyAlwaysOn(rule);
  const said = rule.switched && `${oneLine(rule.switched.by)}: ${oneLine(rule.switched.reason)}`;
  return (
    <button
      type="button"
      className={switchStyles.toggle}
      data-off={!rule.enabled || undefined}
      aria-haspopup="dialog"
      {...(why && { "aria-disabled": true })}
      title={why ? t(`detections.always_on_${why}`) : (said ?? t("detections.switch"))}
      onClick={() => !why && onSwitch(rule.id)}
    >
      <span className="visually-hidden">{oneLine(rule.title)}: </span>
      {rule.enabled ? t("detections.is_on") : t("detections.is_off")}
    </button>
  );
}

function Figure({ n, live = false }: { n: number; live?: boolean }) {
  if (n === 0) return <span className={styles.zero}>0</span>;
  return live ? <Changing value={n}>{count(n)}</Changing> : <span>{count(n)}</span>;
}

/** The share of all findings as a bar and a figure; a word where one rule drowns the others. */
function Noise({ rule, total }: { rule: RuleSummary; total: number }) {
  const { t } = useTranslation();
  const share = noiseOf(rule, total);
  if (share === 0) return <span className={styles.zero}>–</span>;
  return (
    <span className={styles.noise}>
      <span className={styles.noiseTrack} aria-hidden="true">
        <span style={{ width: `${share * 100}%` }} />
      </span>
      <span className="num">{percent(share)}</span>
      {isNoisy(rule, total) && (
        <span className={styles.noisy} title={t("detections.noisy_hint")}>
          {t("detections.noisy")}
        </span>
      )}
    </span>
  );
}
