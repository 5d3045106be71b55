// What a run found, by first time, and why the chosen finding matched.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { ruleHuntFindingsQuery, rulesQuery } from "@/api/queries";
import type { PastFinding, RuleHunt } from "@/api/types";
import { type Column, DataTable, Loaded, Pivot, SeverityMark, Time } from "@/components";
import { severityOf } from "@/i18n/words";
import { count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { useStable } from "@/lib/useStable";
import { entitiesOf } from "@/routes/detections/finding";
import { Why } from "@/routes/detections/Why";
import { useView } from "../useView";
import styles from "./RuleHunt.module.css";

/** What was recorded is judged within moments; so often the list is asked for until it says so. */
const JUDGED_POLL_MS = 1_000;
const JUDGED_POLLS_MAX = 15;

/** The list is as high as its rows need, within bounds. */
const HEAD_PX = 30;
const ROW_PX = 28;
const ROWS_MIN = 3;
const ROWS_MAX = 14;

export function PastFindings({ run }: { run: RuleHunt }) {
  const { t } = useTranslation();
  const { view, set } = useView();
  const query = useInfiniteQuery({
    ...ruleHuntFindingsQuery(run.id),
    refetchInterval: ({ state }) => {
      const waits = run.recorded !== null && state.data?.pages.some((page) => page.items.some((one) => !one.known));
      return waits && state.dataUpdateCount < JUDGED_POLLS_MAX ? JUDGED_POLL_MS : false;
    },
  });
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const columns = useColumns();
  const choose = useStable((id: string | undefined) => set({ finding: id }, true));
  const more = useStable(() => {
    if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
  });
  const shown = rows.find((row) => rowId(row) === view.finding) ?? rows[0];
  return (
    <Loaded query={query} rows={12}>
      {() => (
        <>
          <div className={styles.table} style={{ height: HEAD_PX + ROW_PX * Math.min(ROWS_MAX, Math.max(ROWS_MIN, rows.length)) }}>
            <DataTable
              name="past-findings"
              label={t("search.hunt.rules.findings")}
              columns={columns}
              rows={rows}
              rowId={rowId}
              activeId={view.finding}
              onActive={choose}
              primary
              onEnd={more}
              loadingMore={query.isFetchingNextPage}
            />
          </div>
          {shown && (
            <section className={styles.why} aria-label={t("detections.why")}>
              <h3 className={styles.whyTitle}>{oneLine(shown.finding.finding_info.title)}</h3>
              <Why key={rowId(shown)} finding={shown.finding} incidents={undefined} />
            </section>
          )}
        </>
      )}
    </Loaded>
  );
}

function rowId(row: PastFinding): string {
  return row.finding.finding_info.uid;
}

function useColumns(): Column<PastFinding>[] {
  const { t } = useTranslation();
  return useMemo(
    () => [
      { id: "level", header: "", named: t("severity.label"), width: 30, fixed: true, cell: ({ finding }) => <SeverityMark value={severityOf(finding.severity_id)} bare /> },
      {
        id: "title",
        header: t("search.hunt.rules.finding"),
        width: 140,
        grow: 2,
        fixed: true,
        value: ({ finding }) => finding.finding_info.title,
        cell: ({ finding }) => <span title={oneLine(finding.finding_info.title)}>{oneLine(finding.finding_info.title)}</span>,
      },
      { id: "known", header: t("search.hunt.rules.known"), width: 76, fixed: true, value: (row) => (row.known ? 1 : 0), cell: (row) => <Known row={row} /> },
      {
        id: "entities",
        header: t("detections.entities"),
        width: 116,
        grow: 2,
        cell: ({ finding }) => (
          <span className={styles.entities}>
            {entitiesOf(finding).map((one) => (
              <Pivot key={`${one.kind}/${one.value}`} value={one.value} kind={one.kind} />
            ))}
          </span>
        ),
      },
      { id: "count", header: t("detections.matches"), width: 70, align: "end", value: ({ finding }) => finding.count, cell: ({ finding }) => <span>{count(finding.count)}</span> },
      { id: "first", header: t("search.hunt.column.first"), width: 204, value: ({ finding }) => finding.finding_info.first_seen_time_dt, cell: ({ finding }) => <Time value={finding.finding_info.first_seen_time_dt} /> },
      { id: "last", header: t("search.hunt.column.last"), width: 204, value: ({ finding }) => finding.finding_info.last_seen_time_dt, cell: ({ finding }) => <Time value={finding.finding_info.last_seen_time_dt} /> },
      { id: "tenant", header: t("tenant.label"), width: 104, hidden: true, value: ({ finding }) => oneLine(finding.metadata.tenant_uid) },
    ],
    [t],
  );
}

/** Whether the platform has the finding, and the way to it where its rule is in force and so has a page. */
function Known({ row }: { row: PastFinding }) {
  const { t } = useTranslation();
  const { data } = useQuery(rulesQuery());
  const info = row.finding.finding_info;
  if (!row.known) return <span>{t("search.hunt.rules.new")}</span>;
  if (!data?.items.some((rule) => rule.id === info.analytic.uid)) return <span>{t("search.hunt.rules.is_known")}</span>;
  return (
    <Link to="/detections/$id" params={{ id: info.analytic.uid }} search={{ finding: info.uid }} title={t("search.hunt.rules.is_known_hint")}>
      {t("search.hunt.rules.is_known")}
    </Link>
  );
}
