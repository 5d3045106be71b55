// What needs somebody now: incidents that nobody has decided, worst first.
import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { IncidentSummary } from "@/api/types";
import { Age, type Column, DataTable, Icon, OutcomeMark, Panel, SeverityMark } from "@/components";
import { useLocalText, useWord } from "@/i18n/words";
import { oneLine } from "@/lib/raw";
import { useStable } from "@/lib/useStable";
import styles from "./Overview.module.css";

const rowId = (incident: IncidentSummary) => `${incident.tenant}/${incident.id}`;

export function Attention({ incidents }: { incidents: IncidentSummary[] }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const columns = useColumns();
  const open = useStable((incident: IncidentSummary) => void navigate({ to: "/incidents/$id", params: { id: incident.id }, search: { of: incident.tenant } }));
  const peek = useStable((incident: IncidentSummary) => void navigate({ to: "/incidents", search: { peek: rowId(incident) } }));
  return (
    <Panel
      className={styles.attention}
      flush
      title={t("overview.attention.title")}
      aside={
        <Link to="/incidents" className={styles.more}>
          {t("overview.attention.all")}
          <Icon name="right" size={12} />
        </Link>
      }
    >
      <DataTable
        name="overview.attention"
        label={t("overview.attention.title")}
        columns={columns}
        rows={incidents}
        rowId={rowId}
        onOpen={open}
        onPeek={peek}
        primary
        live
        empty={
          <div className={styles.calm} role="status">
            <Icon name="check" size={18} />
            <p>{t("overview.attention.none")}</p>
            <p className="muted">{t("overview.attention.none_more")}</p>
          </div>
        }
      />
    </Panel>
  );
}

function useColumns(): Column<IncidentSummary>[] {
  const { t } = useTranslation();
  const local = useLocalText();
  const word = useWord();
  return useMemo(
    () => [
      { id: "severity", header: t("severity.label"), width: 84, cell: (row) => <SeverityMark value={row.severity} /> },
      { id: "id", header: t("overview.attention.id"), width: 120, hidden: true, value: (row) => row.id },
      {
        id: "title",
        header: t("overview.attention.incident"),
        width: 220,
        grow: 1,
        fixed: true,
        cell: (row) => {
          const title = oneLine(local(row.title, row.title_ja));
          return (
            <Link to="/incidents/$id" params={{ id: row.id }} search={{ of: row.tenant }} className={styles.title} title={`${row.id} ${title}`}>
              {title}
            </Link>
          );
        },
      },
      { id: "tenant", header: t("tenant.label"), width: 96, hidden: true, value: (row) => row.tenant },
      { id: "outcome", header: t("outcome.label"), width: 100, cell: (row) => <OutcomeMark value={row.outcome} /> },
      { id: "state", header: t("overview.attention.state"), width: 92, cell: (row) => <span className="muted">{word("incident_state", row.state)}</span> },
      { id: "last", header: t("overview.attention.last"), width: 92, align: "end", cell: (row) => <Age value={row.last_time_dt} /> },
    ],
    [t, local, word],
  );
}
