// The events that a background search has found so far.
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Button, Empty, ErrorState, Skeleton } from "@/components";
import { oneLine } from "@/lib/raw";
import { isOver, Progress, useBackgroundSearches, useEndSearch, useJobRows } from "./Background";
import { EventTable } from "./EventTable";
import type { Widths } from "./FieldPicker";
import { ResultFrame } from "./ResultFrame";
import type { EventRow } from "./rows";
import styles from "./JobEvents.module.css";

export function JobEvents({ id, columns, tight, widths, active, onActive, onRows, onLeave }: {
  id: string;
  columns: readonly string[];
  /** Beside an open event. */
  tight: boolean;
  widths: Widths;
  active: string | undefined;
  onActive: (id: string | undefined) => void;
  onRows: (rows: readonly EventRow[]) => void;
  onLeave: () => void;
}) {
  const { t } = useTranslation();
  const searches = useBackgroundSearches();
  const search = searches.data?.items.find((one) => one.id === id);
  const { rows: sent, error } = useJobRows(search && id, search?.events ?? 0);
  const rows = useMemo(() => sent.map(withId), [sent]);
  const shown = useMemo(() => columnsOf(rows, columns, tight), [rows, columns, tight]);
  const end = useEndSearch(onLeave);
  useEffect(() => onRows(rows), [rows, onRows]);
  return (
    <ResultFrame label={t("search.background.one")}>
      <header className={styles.head}>
        <div className={styles.about}>
          {search && <code className="clip">{oneLine(search.query) || "*"}</code>}
          {search && <Progress search={search} />}
        </div>
        {search && (
          <Button onPress={() => end.mutate(id)} isDisabled={end.isPending}>
            {isOver(search) ? t("search.background.forget") : t("search.background.stop")}
          </Button>
        )}
        <Button onPress={onLeave}>{t("search.background.back")}</Button>
      </header>
      {searches.error && <ErrorState error={searches.error} onRetry={() => void searches.refetch()} />}
      {error && <ErrorState error={error} />}
      {!searches.data && !searches.error && <Skeleton rows={12} rowHeight={24} />}
      {searches.data && !search && <p className={styles.gone}>{t("search.background.gone")}</p>}
      {search && (
        <EventTable
          rows={rows}
          columns={shown}
          widths={widths}
          tight={tight}
          active={active}
          onActive={onActive}
          empty={isOver(search) ? <Empty reason="match" /> : <p className={styles.gone}>{t("search.background.nothing_yet")}</p>}
        />
      )}
    </ResultFrame>
  );
}

/** Searches that were begun elsewhere may give whole events. */
function withId(row: EventRow): EventRow {
  const metadata = row.metadata as { uid?: string; log_name?: string } | undefined;
  if (row.id !== undefined || metadata?.uid === undefined) return row;
  return { id: metadata.uid, time: row.time_dt ?? row.time, class: row.class_name, summary: row.message ?? row.raw_data };
}

/** Those wanted that the search gave, and unless there is little room all others it gave. */
function columnsOf(rows: readonly EventRow[], wanted: readonly string[], tight: boolean): readonly string[] {
  const there = Object.keys(rows[0] ?? {}).filter((name) => name !== "id");
  if (there.length === 0) return wanted;
  const known = wanted.filter((name) => there.includes(name));
  return tight && known.length > 0 ? known : [...known, ...there.filter((name) => !known.includes(name))];
}
