// The events of a search with what it cost, how many more there are, and every state before and beside that.
import type { UseMutationResult, UseQueryResult } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ApiProblem } from "@/api/problem";
import type { BackgroundSearch } from "@/api/types";
import { Button, Empty, ErrorState, Skeleton } from "@/components";
import { count } from "@/lib/number";
import { spanText } from "@/lib/time";
import { EventTable } from "./EventTable";
import { FieldPicker, type Widths } from "./FieldPicker";
import { COLUMNS_MAX } from "./fields";
import { LIMITS } from "./limits";
import { QueryFault } from "./QueryFault";
import { Amount, Cost, ResultFrame, ResultHead, ResultRows, Running } from "./ResultFrame";
import type { Searched } from "./rows";
import styles from "./Results.module.css";

const BACKGROUND_AFTER_S = 3;
const PUT_TOGETHER: readonly string[] = ["summary", "flow", "time"];
const SKELETON_ROWS = 18;

export interface ResultsProps {
  found: UseQueryResult<Searched>;
  /** The query that was sent, and how far what was written moved in it. */
  whole: { query: string; shift: number };
  written: string;
  total: number | undefined;
  columns: readonly string[];
  /** Those of them that there is room for. */
  shown: readonly string[];
  widths: Widths;
  sort: string | undefined;
  limit: number;
  active: string | undefined;
  onActive: (id: string | undefined) => void;
  onSort: (sort: string | undefined) => void;
  onLimit: (limit: number) => void;
  onColumns: (columns: string[] | undefined) => void;
  /** Searches all of time; absent where that is done. */
  onAnyTime: (() => void) | undefined;
  onStop: () => void;
  background: UseMutationResult<BackgroundSearch, Error, void>;
}

export function Results(props: ResultsProps) {
  const { t } = useTranslation();
  const { found, columns, widths, limit, total } = props;
  const { data, error, isFetching, isPlaceholderData } = found;
  const stopped = !isFetching && !error && (data === undefined || isPlaceholderData);
  const fresh = data !== undefined && !isPlaceholderData && !error;
  return (
    <ResultFrame label={t("search.events.label")} busy={isFetching}>
      <ResultHead
        said={isFetching ? <Runs {...props} /> : stopped ? t(data ? "search.run.stopped_kept" : "search.run.stopped") : fresh ? <Said data={data} total={total} /> : null}
        tools={
          <>
            {!isFetching && fresh && data.stats.more && <More limit={limit} onLimit={props.onLimit} />}
            <FieldPicker
              label={t("search.events.columns")}
              chosen={columns}
              most={COLUMNS_MAX}
              also={PUT_TOGETHER}
              widths={widths}
              onChange={props.onColumns}
              onReset={() => props.onColumns(undefined)}
            />
          </>
        }
      />
      {props.background.error && <ErrorState error={props.background.error} onRetry={() => props.background.mutate()} asOfMs={Date.now()} />}
      {error && <Failed {...props} error={error} />}
      {stopped && !data && (
        <div className={styles.stopped}>
          <p>{t("search.run.stopped_hint")}</p>
          <Button icon="refresh" onPress={() => void found.refetch()}>
            {t("search.run.again")}
          </Button>
        </div>
      )}
      {!data && isFetching && <Skeleton rows={SKELETON_ROWS} rowHeight={24} />}
      {data && !(error instanceof ApiProblem && error.position) && (
        <ResultRows stale={isPlaceholderData || error !== null}>
          <EventTable
            rows={data.rows}
            columns={props.shown}
            widths={widths}
            tight={props.shown !== columns}
            active={props.active}
            onActive={props.onActive}
            sort={props.sort}
            onSort={props.onSort}
            empty={
              isFetching || !fresh ? null : (
                <Empty reason="match">
                  {props.onAnyTime && <Button onPress={props.onAnyTime}>{t("search.run.any_time")}</Button>}
                  <p>{t("search.run.no_match_hint")}</p>
                </Empty>
              )
            }
          />
        </ResultRows>
      )}
    </ResultFrame>
  );
}

function Runs({ onStop, background }: ResultsProps) {
  const { t } = useTranslation();
  const putBehind = (
    <Button onPress={() => background.mutate()} isDisabled={background.isPending}>
      {t("search.run.background")}
    </Button>
  );
  return <Running onStop={onStop} more={{ afterS: BACKGROUND_AFTER_S, children: putBehind }} />;
}

/** How many are shown of how many, and what that took. */
function Said({ data, total }: { data: Searched; total: number | undefined }) {
  const { t } = useTranslation();
  const { stats, rows } = data;
  const shown = count(rows.length);
  const some = total !== undefined && total > rows.length ? t("search.events.some_of", { number: shown, total: count(total) }) : t("search.events.some", { number: shown });
  const all = rows.length === 0 ? t("search.events.none") : t("search.events.all", { count: rows.length, number: shown });
  const amount = stats.more ? some : all;
  return <Amount cost={t("search.events.cost", { count: stats.files, files: count(stats.files), pruned: count(stats.pruned), time: spanText(stats.took_ms) })}>{amount}</Amount>;
}

function More({ limit, onLimit }: { limit: number; onLimit: (limit: number) => void }) {
  const { t } = useTranslation();
  const next = LIMITS.filter((one) => one > limit);
  if (next.length === 0) return <Cost>{t("search.events.at_most")}</Cost>;
  return next.map((one) => (
    <Button key={one} kind="quiet" onPress={() => onLimit(one)}>
      {t("search.events.show", { number: count(one) })}
    </Button>
  ));
}

function Failed({ error, found, whole, written, background }: ResultsProps & { error: Error }) {
  const { t } = useTranslation();
  if (error instanceof ApiProblem && error.position) return <QueryFault problem={error} written={written} shift={whole.shift} />;
  const slow = error instanceof ApiProblem && (error.code === "query_time" || error.code === "query_memory");
  return (
    <>
      <ErrorState error={error} onRetry={() => void found.refetch()} {...(found.data && { asOfMs: found.dataUpdatedAt })} />
      {slow && (
        <div className={styles.offer}>
          <Button onPress={() => background.mutate()}>{t("search.run.background")}</Button>
        </div>
      )}
    </>
  );
}
