// What a rule found, newest first, and why the chosen finding matched.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { findingQuery, findingsQuery } from "@/api/queries";
import type { EntityKind, Finding } from "@/api/types";
import { Age, type Column, DataTable, Empty, ErrorState, Loaded, OutcomeMark, Panel, Pivot, Retrospective } from "@/components";
import { count } from "@/lib/number";
import { useSettled } from "@/lib/useSettled";
import { useStable } from "@/lib/useStable";
import styles from "./Detection.module.css";
import { entitiesOf, isRetrospective } from "./finding";
import { detectionRoute } from "./route";
import { Why } from "./Why";

/** The list is as high as its rows need, within bounds. */
const HEAD_PX = 64;
const ROW_PX = 28;
const ROWS_MIN = 3;
const ROWS_MAX = 7;

const rowId = (finding: Finding) => finding.finding_info.uid;

/** `rule` is its id; `total` how many findings it has, where that is known. */
export function Findings({ rule, total }: { rule: string; total?: number }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { finding: chosen } = detectionRoute.useSearch();
  const query = useInfiniteQuery(findingsQuery({ rule }));
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const columns = useColumns();
  const choose = useStable((id: string | undefined) => void navigate({ to: ".", search: (old) => ({ ...old, finding: id }), replace: true }));
  const more = useStable(() => {
    if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
  });
  const shown = chosen ?? rows[0]?.finding_info.uid;
  return (
    <div className={styles.right}>
      <div className={styles.findings} style={rows.length > 0 ? { height: HEAD_PX + ROW_PX * Math.min(ROWS_MAX, Math.max(ROWS_MIN, rows.length)) } : { flex: 1 }}>
        <Panel className={styles.fillPanel} flush title={t("detections.recent")} aside={total !== undefined && <span>{t("detections.findings_of", { count: total })}</span>}>
          <Loaded query={query} rows={6}>
            {() => (
              <DataTable
                name="detection.findings"
                label={t("detections.recent")}
                columns={columns}
                rows={rows}
                rowId={rowId}
                activeId={chosen}
                onActive={choose}
                primary
                live
                onEnd={more}
                loadingMore={query.isFetchingNextPage}
                empty={<Empty reason="data">{<p>{t("detections.never")}</p>}</Empty>}
              />
            )}
          </Loaded>
        </Panel>
      </div>
      {shown && <Explained id={shown} known={rows.find((row) => rowId(row) === shown)} />}
    </div>
  );
}

/** The finding in full; what the list knows of it shows at once. */
function Explained({ id, known }: { id: string; known: Finding | undefined }) {
  const { t } = useTranslation();
  const settled = useSettled(id);
  const query = useQuery(findingQuery(settled));
  const asked = settled === id ? query.data : undefined;
  const finding = asked ?? known;
  return (
    <Panel className={styles.why} flush title={t("detections.why")} aside={<code title={id}>{id.slice(0, 12)}</code>}>
      {query.error && settled === id && <ErrorState error={query.error} onRetry={() => void query.refetch()} {...(finding && { asOfMs: query.dataUpdatedAt || Date.now() })} />}
      {finding && <Why key={id} finding={finding} incidents={asked?.incidents} />}
    </Panel>
  );
}

function useColumns(): Column<Finding>[] {
  const { t } = useTranslation();
  return useMemo(
    () => [
      { id: "last", header: t("detections.last_match"), width: 96, fixed: true, value: (row) => row.finding_info.last_seen_time_dt, cell: (row) => <Age value={row.finding_info.last_seen_time_dt} /> },
      {
        id: "entities",
        header: t("detections.entities"),
        width: 200,
        grow: 1,
        fixed: true,
        cell: (row) => (
          <span className={styles.entities}>
            {isRetrospective(row) && <Retrospective bare />}
            {entitiesOf(row).map((one) => (
              <Pivot key={`${one.kind}/${one.value}`} value={one.value} kind={one.kind as EntityKind} />
            ))}
          </span>
        ),
      },
      { id: "outcome", header: t("outcome.label"), width: 100, cell: (row) => <OutcomeMark value={row.unmapped.outcome} /> },
      { id: "tenant", header: t("tenant.label"), width: 96, hidden: true, value: (row) => row.metadata.tenant_uid },
      { id: "count", header: t("detections.matches"), width: 72, align: "end", value: (row) => row.count, cell: (row) => <span>{count(row.count)}</span> },
    ],
    [t],
  );
}
