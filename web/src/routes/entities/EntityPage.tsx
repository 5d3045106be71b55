// One entity: its verdict and why, everything ever said about it, its findings and incidents.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Page } from "@/app/Page";
import { ApiProblem } from "@/api/problem";
import { entityQuery } from "@/api/queries";
import type { EntityDetail } from "@/api/types";
import { type Column, CopyButton, DataTable, Empty, Loaded, Panel, Retrospective, SeverityMark, Time, VerdictMark } from "@/components";
import { useWord } from "@/i18n/words";
import { count, percent, signed } from "@/lib/number";
import { term } from "@/lib/query-text";
import { oneLine } from "@/lib/raw";
import { RuleLink } from "@/routes/detections/RuleLink";
import { IncidentList } from "@/routes/incidents/IncidentList";
import styles from "./EntityPage.module.css";
import { entityRoute } from "./route";
import { useReason, Waterfall } from "./Waterfall";

export function EntityPage() {
  const { t } = useTranslation();
  const { kind, value } = entityRoute.useParams();
  const { of } = entityRoute.useSearch();
  const query = useQuery(entityQuery(kind, value, of));
  const unknown = query.error instanceof ApiProblem && query.error.status === 404;
  return (
    <Page title={`${oneLine(value)} – ${t("page.entity")}`}>
      {unknown ? <Unknown kind={kind} value={value} /> : <Loaded query={query} rows={20}>{(entity) => <Detail entity={entity} />}</Loaded>}
    </Page>
  );
}

function Unknown({ kind, value }: { kind: string; value: string }) {
  const { t } = useTranslation();
  return (
    <Panel>
      <Empty reason="data">
        <p>{t("entities.unknown", { name: oneLine(value) })}</p>
        <Link to="/search" search={{ q: term(kind, value) }}>
          {t("entities.search_events")}
        </Link>
      </Empty>
    </Panel>
  );
}

function Detail({ entity }: { entity: EntityDetail }) {
  const { t } = useTranslation();
  const word = useWord();
  const { standing, kind, value } = entity;
  return (
    <div className={styles.detail}>
      <header className={styles.head}>
        <span className="muted">{word("entity_kind", kind)}</span>
        <p className={styles.name}>
          <bdi>{oneLine(value)}</bdi>
        </p>
        <CopyButton text={value} />
        {standing && (
          <span className={styles.verdict}>
            <VerdictMark value={standing.verdict} /> <span className="num">{percent(standing.probability)}</span>
          </span>
        )}
        <span className={styles.space} />
        <span className="muted">{oneLine(entity.tenant)}</span>
        <Link to="/search" search={{ q: term(kind, value) }}>
          {t("entities.search_events")}
        </Link>
      </header>
      <div className={styles.grid}>
        <Panel
          title={t("entities.why")}
          aside={standing && <span>{t("entities.as_of")} <Time value={standing.as_of / 1_000} /></span>}
        >
          {standing ? <Waterfall standing={standing} /> : <Empty reason="data"><p>{t("entities.no_standing")}</p></Empty>}
        </Panel>
        <Panel className={styles.incidents} title={t("page.incidents")} aside={count(entity.incidents.length)}>
          <IncidentList incidents={entity.incidents} />
        </Panel>
        <Findings entity={entity} />
        <Ledger entity={entity} />
      </div>
    </div>
  );
}

const HEAD_PX = 30;
const ROW_PX = 24;
/** More rows than this scroll. */
const ROWS_SHOWN = 12;

type FindingRow = EntityDetail["findings"][number];

function Findings({ entity }: { entity: EntityDetail }) {
  const { t } = useTranslation();
  const columns = useMemo(
    (): Column<FindingRow>[] => [
      { id: "last", header: t("entities.last"), width: 216, value: (one) => Date.parse(one.last_time_dt), cell: (one) => <Time value={one.last_time_dt} /> },
      { id: "level", header: "", named: t("severity.label"), width: 30, fixed: true, cell: (one) => <SeverityMark value={one.level} bare /> },
      { id: "title", header: t("entities.finding"), width: 220, grow: 1, fixed: true, value: (one) => one.title, cell: (one) => <FindingTitle row={one} /> },
      { id: "count", header: t("entities.matches"), width: 80, align: "end", value: (one) => one.count, cell: (one) => <span>{count(one.count)}</span> },
    ],
    [t],
  );
  return (
    <Panel flush title={t("entities.findings")} aside={count(entity.findings.length)} className={styles.findings}>
      <div className={styles.rows} style={{ height: tableHeight(entity.findings.length) }}>
        <DataTable name="entity-findings" label={t("entities.findings")} columns={columns} rows={entity.findings} rowId={idOf} rowHeight={ROW_PX} primary empty={<Empty reason="data" />} />
      </div>
    </Panel>
  );
}

function FindingTitle({ row }: { row: FindingRow }) {
  return (
    <Rule id={row.rule} title={row.title} finding={row.id}>
      {row.retrospective && <Retrospective />}
    </Rule>
  );
}

type LedgerRow = EntityDetail["evidence"][number] & { key: string };

/** Every piece of evidence in time, before repeats and age are discounted. */
function Ledger({ entity }: { entity: EntityDetail }) {
  const { t } = useTranslation();
  const why = useReason();
  const rows = useMemo(() => entity.evidence.map((one, i): LedgerRow => ({ ...one, key: `${one.finding}/${i}` })), [entity]);
  const columns = useMemo(
    (): Column<LedgerRow>[] => [
      { id: "time", header: t("entities.time"), width: 216, fixed: true, value: (one) => Date.parse(one.time_dt), cell: (one) => <Time value={one.time_dt} /> },
      { id: "title", header: t("entities.finding"), width: 180, grow: 1, fixed: true, value: (one) => one.title, cell: (one) => <Rule id={one.rule} title={one.title} finding={one.finding} /> },
      { id: "llr", header: t("entities.weight"), width: 72, align: "end", value: (one) => one.llr, cell: (one) => <span>{signed(one.llr)}</span> },
      { id: "reason", header: t("entities.because"), width: 200, grow: 1, cell: (one) => <span title={why(one.reason)}>{why(one.reason)}</span> },
    ],
    [t],
  );
  return (
    <Panel flush title={t("entities.ledger")} aside={count(rows.length)} className={styles.ledger}>
      <div className={styles.rows} style={{ height: tableHeight(rows.length) }}>
        <DataTable name="entity-evidence" label={t("entities.ledger")} columns={columns} rows={rows} rowId={keyOf} rowHeight={ROW_PX} empty={<Empty reason="data" />} />
      </div>
    </Panel>
  );
}

/** The finding, shown at its rule. */
function Rule({ id, title, finding, children }: { id: string; title: string; finding: string; children?: ReactNode }) {
  return (
    <span className={styles.marked}>
      <RuleLink id={id} text={title || finding} finding={finding} className={styles.rule} tabIndex={-1} />
      {children}
    </span>
  );
}

function tableHeight(rows: number): number {
  return HEAD_PX + ROW_PX * Math.max(2, Math.min(ROWS_SHOWN, rows));
}

function idOf(row: FindingRow): string {
  return row.id;
}

function keyOf(row: LedgerRow): string {
  return row.key;
}
