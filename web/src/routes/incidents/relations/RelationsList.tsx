// Every relation as a table row: two entities, the findings that name both, and how they met.
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { EntityKind, Incident } from "@/api/types";
import { type Column, DataTable } from "@/components";
import { count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import type { Edge, Relations } from "./graph";
import styles from "./RelationsList.module.css";

const ROW_PX = 24;
/** More rows than this scroll. */
const ROWS_SHOWN = 14;

export function RelationsList({ relations, incident }: { relations: Relations; incident: Incident }) {
  const { t } = useTranslation();
  const tenant = incident.metadata.tenant_uid;
  const rows = useMemo(() => [...relations.all].sort((a, b) => b.findings.length - a.findings.length), [relations]);
  const columns = useMemo((): Column<Edge>[] => {
    const titles = new Map(incident.timeline.map((step) => [step.finding, oneLine(step.title)]));
    const findings = (edge: Edge) => [...new Set(edge.findings.map((one) => titles.get(one) ?? one))].join(", ");
    return [
      { id: "a", header: t("incidents.entity"), width: 150, grow: 1, fixed: true, value: (edge) => edge.a, cell: (edge) => <Entity of={edge.a} tenant={tenant} /> },
      { id: "b", header: t("incidents.with"), width: 150, grow: 1, fixed: true, value: (edge) => edge.b, cell: (edge) => <Entity of={edge.b} tenant={tenant} /> },
      { id: "count", header: t("incidents.findings"), width: 72, align: "end", value: (edge) => edge.findings.length, cell: (edge) => <span>{count(edge.findings.length)}</span> },
      { id: "via", header: t("incidents.via"), width: 90, value: (edge) => edge.via.join(", "), cell: (edge) => <span>{edge.via.map(oneLine).join(", ") || "–"}</span> },
      { id: "titles", header: t("incidents.in_findings"), width: 180, grow: 2, cell: (edge) => <span title={findings(edge)}>{findings(edge)}</span> },
    ];
  }, [t, incident, tenant]);
  return (
    <div className={styles.list} style={{ height: 30 + ROW_PX * Math.min(ROWS_SHOWN, rows.length) }}>
      <DataTable name="incident-relations" label={t("incidents.relations")} columns={columns} rows={rows} rowId={keyOf} rowHeight={ROW_PX} />
    </div>
  );
}

function Entity({ of, tenant }: { of: string; tenant: string }) {
  const at = of.indexOf(":");
  const value = of.slice(at + 1);
  return (
    <Link to="/entities/$kind/$value" params={{ kind: of.slice(0, at) as EntityKind, value }} search={{ of: tenant }} tabIndex={-1}>
      <bdi>{oneLine(value)}</bdi>
    </Link>
  );
}

function keyOf(edge: Edge): string {
  return `${edge.a}\n${edge.b}`;
}
