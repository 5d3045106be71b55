// The columns of the queue; fewer beside the preview.
import { Link } from "@tanstack/react-router";
import { useMemo, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import type { IncidentSummary, Principal } from "@/api/types";
import { Age, type Column, OutcomeMark, SeverityMark, VerdictMark } from "@/components";
import { useLocalText, useTacticName, useWord } from "@/i18n/words";
import { count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { isDone } from "./queue";
import styles from "./IncidentsPage.module.css";
import { KILL_CHAIN } from "./tactics";

const BESIDE_PREVIEW = new Set(["severity", "id", "title", "state", "last"]);

/** From this width on there is room for those an incident is about. */
const WIDE = "(min-width: 1600px)";

function isWide(): boolean {
  return matchMedia(WIDE).matches;
}

function onWidth(listener: () => void): () => void {
  const query = matchMedia(WIDE);
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}

export function useQueueColumns(narrow: boolean, all: readonly IncidentSummary[]): Column<IncidentSummary>[] {
  const { t } = useTranslation();
  const word = useWord();
  const local = useLocalText();
  const tactic = useTacticName();
  const wide = useSyncExternalStore(onWidth, isWide);
  const several = new Set(all.map((one) => one.tenant)).size > 1;
  return useMemo(() => {
    const columns: Column<IncidentSummary>[] = [
      {
        id: "severity",
        header: narrow ? "" : t("severity.label"),
        width: narrow ? 30 : 86,
        fixed: true,
        value: (one) => one.severity_id,
        cell: (one) => <SeverityMark value={one.severity} bare={narrow} />,
      },
      { id: "id", header: t("incidents.id"), width: 110, code: true, value: (one) => one.id, cell: (one) => <span>{one.id}</span> },
      {
        id: "title",
        header: t("incidents.title"),
        width: narrow ? 200 : 240,
        grow: 4,
        fixed: true,
        cell: (one) => <Title incident={one} text={oneLine(local(one.title, one.title_ja))} />,
      },
      {
        id: "who",
        header: t("incidents.who"),
        width: 320,
        grow: 2,
        hidden: !wide,
        cell: (one) => <Who principals={one.principals} />,
      },
      {
        id: "tactics",
        header: t("incidents.tactics"),
        width: 114,
        value: (one) => one.tactics.length,
        cell: (one) => <Chain names={one.tactics} label={one.tactics.map(tactic).join(" → ")} />,
      },
      {
        id: "outcome",
        header: t("outcome.label"),
        width: 104,
        value: (one) => one.outcome,
        cell: (one) => <OutcomeMark value={one.outcome} />,
      },
      {
        id: "state",
        header: t("incidents.state"),
        width: 94,
        value: (one) => one.state,
        cell: (one) => (
          <span className={isDone(one.state) || one.merged_into ? styles.done : undefined}>
            {one.merged_into ? t("incidents.merged") : word("incident_state", one.state)}
          </span>
        ),
      },
      {
        id: "verdict",
        header: t("incidents.verdict"),
        width: 110,
        hidden: true,
        value: (one) => one.verdict,
        cell: (one) => <span>{one.verdict ? word("incident_verdict", one.verdict) : "–"}</span>,
      },
      {
        id: "owner",
        header: t("incidents.owner"),
        width: 68,
        value: (one) => one.owner,
        cell: (one) => <span title={one.owner === null ? undefined : oneLine(one.owner)}>{one.owner === null ? "–" : <bdi>{oneLine(one.owner)}</bdi>}</span>,
      },
      { id: "findings", header: t("incidents.findings"), width: 76, align: "end", value: (one) => one.findings, cell: (one) => <span>{count(one.findings)}</span> },
      {
        id: "notes",
        header: t("incidents.notes"),
        width: 64,
        align: "end",
        hidden: true,
        value: (one) => one.notes,
        cell: (one) => <span>{count(one.notes)}</span>,
      },
      { id: "opened", header: t("incidents.opened"), width: 100, hidden: true, value: (one) => Date.parse(one.opened_time_dt), cell: (one) => <Age value={one.opened_time_dt} /> },
      { id: "last", header: t("incidents.last"), width: 88, align: "end", value: (one) => Date.parse(one.last_time_dt), cell: (one) => <Age value={one.last_time_dt} /> },
      { id: "tenant", header: t("tenant.label"), width: 92, hidden: !several, value: (one) => one.tenant, cell: (one) => <span>{oneLine(one.tenant)}</span> },
    ];
    return narrow ? columns.filter((column) => BESIDE_PREVIEW.has(column.id)) : columns;
  }, [narrow, several, wide, t]);
}

function Title({ incident, text }: { incident: IncidentSummary; text: string }) {
  return (
    <Link className={styles.title} to="/incidents/$id" params={{ id: incident.id }} search={{ of: incident.tenant }} title={text} tabIndex={-1}>
      <bdi>{text}</bdi>
    </Link>
  );
}

function Who({ principals }: { principals: readonly Principal[] }) {
  const shown = principals.slice(0, 2);
  return (
    <span className={styles.who}>
      {shown.map((one) => (
        <span key={`${one.type}/${one.value}`}>
          <VerdictMark value={one.verdict} bare />
          <bdi>{oneLine(one.value)}</bdi>
        </span>
      ))}
      {principals.length > shown.length && <span className="muted">{`+${principals.length - shown.length}`}</span>}
    </span>
  );
}

function Chain({ names, label }: { names: readonly string[]; label: string }) {
  const on = new Set(names);
  return (
    <span title={label}>
      <span className={styles.chain} aria-hidden="true">
        {KILL_CHAIN.map((name) => (
          <span key={name} data-on={on.has(name) || undefined} />
        ))}
      </span>
      <span className="visually-hidden">{label}</span>
    </span>
  );
}
