// Where indicators were seen: one row each, opened into tenant, source and value.
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { HuntAnswer } from "@/api/types";
import { type Column, CopyButton, DataTable, Icon, Pivot, Skeleton, Time } from "@/components";
import { count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { spanText } from "@/lib/time";
import { useStable } from "@/lib/useStable";
import { Fold } from "./Fold";
import { groups, type HuntRow, rowsOf } from "./hunt-rows";
import { kindOf } from "./fields";
import { HuntRefused } from "./HuntRefused";
import { type IndicatorKind, refang } from "./indicators";
import { Cost, Elapsed, ResultHead, ResultRows } from "./ResultFrame";
import { useElapsed } from "./useRun";
import styles from "./HuntResults.module.css";

export function HuntResults({ hunted, stale, running, failed, stopped, asked, onSearch }: {
  hunted: HuntAnswer | undefined;
  stale: boolean;
  running: boolean;
  failed: boolean;
  stopped: boolean;
  /** What was hunted for; `null` where the browser does not know. */
  asked: readonly string[] | null;
  onSearch: (query: string) => void;
}) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const all = useMemo(() => groups(hunted?.lines ?? []), [hunted]);
  const rows = useMemo(() => rowsOf(all, open), [all, open]);
  const toggle = useStable((row: HuntRow) => {
    if (row.kind === "group") setOpen((old) => (old.has(row.id) ? new Set([...old].filter((id) => id !== row.id)) : new Set([...old, row.id])));
    else onSearch(row.line.search);
  });
  const search = useStable(onSearch);
  const columns = useColumns(open, toggle, search);
  if (!hunted && !running) {
    return failed ? null : (
      <div className={styles.start}>
        <p>{stopped ? t("search.run.stopped") : t("search.hunt.start")}</p>
        {!stopped && <p className="muted">{t("search.hunt.start_hint")}</p>}
      </div>
    );
  }
  const seen = new Set(all.map((group) => group.indicator.toLowerCase()));
  const unseen = hunted && asked && !stale ? [...new Set(asked.map((text) => refang(text).toLowerCase()))].filter((text) => !seen.has(text)) : [];
  return (
    <>
      <ResultHead wraps said={running ? <HuntRuns /> : hunted && !stale ? <Said hunted={hunted} seen={all.length} /> : stopped ? <strong>{t("search.run.stopped")}</strong> : null} />
      {!hunted && running && <Skeleton rows={12} />}
      {hunted && (
        <ResultRows stale={stale}>
          <DataTable
            name="hunt"
            label={t("search.hunt.found")}
            columns={columns}
            rows={rows}
            rowId={rowId}
            onOpen={toggle}
            onPeek={toggle}
            primary
            empty={running ? null : <p className={styles.none}>{t("search.hunt.nothing_seen", { count: hunted.stats.indicators, number: count(hunted.stats.indicators) })}</p>}
          />
        </ResultRows>
      )}
      {!running && hunted && !stale && <HuntRefused refused={hunted.refused} count={hunted.stats.refused} />}
      {!running && unseen.length > 0 && all.length > 0 && (
        <Fold summary={t("search.hunt.unseen", { count: unseen.length, number: count(unseen.length) })}>
          <div className={styles.unseen}>
            <CopyButton text={unseen.join("\n")} />
            <code>{unseen.slice(0, 500).map(oneLine).join("\n")}</code>
          </div>
        </Fold>
      )}
    </>
  );
}

function HuntRuns() {
  const { t } = useTranslation();
  const seconds = useElapsed(true);
  return (
    <strong>
      <Elapsed first={t("search.hunt.running")} then={t("search.hunt.running_for", { seconds })} seconds={seconds} />
    </strong>
  );
}

/** How many were seen, how many were left out, and what it cost. */
function Said({ hunted, seen }: { hunted: HuntAnswer; seen: number }) {
  const { t } = useTranslation();
  const { stats } = hunted;
  return (
    <>
      <strong>{t("search.hunt.summary", { seen: count(seen), of: count(stats.indicators) })}</strong>
      {stats.refused > 0 && <span className={styles.refused}>{t("search.hunt.refused", { count: stats.refused, number: count(stats.refused) })}</span>}
      {stats.truncated && <span className={styles.refused}>{t("search.hunt.truncated", { number: count(stats.lines) })}</span>}
      <Cost>{t("search.hunt.cost", { sightings: count(stats.sightings), events: count(stats.events), time: spanText(stats.took_ms) })}</Cost>
    </>
  );
}

function rowId(row: HuntRow): string {
  return row.id;
}

function useColumns(open: ReadonlySet<string>, toggle: (row: HuntRow) => void, search: (query: string) => void): Column<HuntRow>[] {
  const { t } = useTranslation();
  return useMemo(() => {
    const all: Column<HuntRow>[] = [
      { id: "indicator", header: t("search.hunt.column.indicator"), width: 220, grow: 2, fixed: true, cell: (row) => <Name row={row} open={open.has(row.id)} toggle={toggle} /> },
      {
        id: "search",
        header: t("search.hunt.column.search"),
        width: 112,
        fixed: true,
        cell: (row) => (
          <button type="button" className={styles.link} onClick={() => search(row.kind === "group" ? row.search : row.line.search)}>
            {t("search.hunt.show_events")}
          </button>
        ),
      },
      { id: "events", header: t("search.hunt.column.events"), width: 80, align: "end", cell: (row) => count(row.kind === "group" ? row.events : row.line.events) },
      { id: "last", header: t("search.hunt.column.last"), width: 204, cell: (row) => <Time value={row.kind === "group" ? row.last : row.line.last} /> },
      { id: "first", header: t("search.hunt.column.first"), width: 204, cell: (row) => <Time value={row.kind === "group" ? row.first : row.line.first} /> },
      {
        id: "as",
        header: t("search.hunt.column.as"),
        width: 104,
        cell: (row) => (row.kind === "group" ? t(`search.hunt.kind.${row.type as IndicatorKind}`, { defaultValue: row.type }) : row.line.as),
      },
      { id: "source", header: t("search.hunt.column.source"), width: 150, grow: 1, cell: (row) => oneLine(distinct(row, "source")) },
      { id: "tenant", header: t("tenant.label"), width: 110, cell: (row) => oneLine(distinct(row, "tenant")) },
    ];
    return all;
  }, [t, open, toggle, search]);
}

function Name({ row, open, toggle }: { row: HuntRow; open: boolean; toggle: (row: HuntRow) => void }) {
  const { t } = useTranslation();
  if (row.kind === "line") {
    return (
      <span className={styles.seen}>
        <Pivot value={row.line.seen} field={row.line.as} kind={kindOf(row.line.as)} />
      </span>
    );
  }
  const label = t(open ? "search.hunt.close_group" : "search.hunt.open_group", { indicator: oneLine(row.indicator) });
  return (
    <span className={styles.group}>
      <button type="button" className={styles.fold} aria-expanded={open} aria-label={label} onClick={() => toggle(row)}>
        <Icon name={open ? "down" : "right"} size={12} />
      </button>
      <bdi className="clip">{oneLine(row.indicator)}</bdi>
    </span>
  );
}

/** The values of a group's lines, few enough to read. */
function distinct(row: HuntRow, key: "tenant" | "source"): string {
  if (row.kind === "line") return row.line[key];
  return [...new Set(row.lines.map((line) => line[key]))].join(", ");
}
