// Searching events: query, time, counts over time and by field, the events, and one of them.
import type { CompletionContext } from "@codemirror/autocomplete";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { make } from "@/api/client";
import { backgroundSearchesQuery, histogramQuery } from "@/api/queries";
import type { BackgroundSearch } from "@/api/types";
import { useIndexOf } from "@/lib/useIndexOf";
import { useStable } from "@/lib/useStable";
import { EventPanel } from "./EventPanel";
import { Export } from "./Export";
import { Facets } from "./Facets";
import { NARROW_COLUMNS } from "./fields";
import { remember } from "./history";
import { Histogram } from "./Histogram";
import { HistogramState } from "./HistogramState";
import { JobEvents } from "./JobEvents";
import { Library, type Recalled } from "./Library";
import { LIMITS } from "./limits";
import { QueryBar } from "./QueryBar";
import { Results } from "./Results";
import { searchBody, searchRowsQuery } from "./rows";
import type { ShortName } from "./short-names";
import { TimeRange } from "./TimeRange";
import { boundMs, ranged } from "./time-range";
import { useRun } from "./useRun";
import { useView } from "./useView";
import { useWidths } from "./widths";
import styles from "./SearchTab.module.css";

const BINS = 120;
const NO_ROWS: readonly { id: string }[] = [];
const idOf = (row: { id: string }) => row.id;

export function SearchTab() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { view, set, columns, fields } = useView();
  const { from, until, sort } = view;
  const q = view.q ?? "";
  const limit = view.limit ?? LIMITS[0];
  const [draft, setDraft] = useState(q);
  const [run, runAgain] = useRun();
  const widths = useWidths();
  useEffect(() => setDraft(q), [q]);

  const whole = useMemo(() => ranged(q, { from, until }), [q, from, until]);
  const asked = useMemo(() => ({ query: whole.query, columns, sort, limit }), [whole, columns, sort, limit]);
  const rowsQuery = searchRowsQuery(asked, run.n);
  const isJob = view.job !== undefined;
  const found = useQuery({ ...rowsQuery, placeholderData: keepPreviousData, enabled: !isJob });
  const bounds = boundsOf(from, until, run.atMs);
  const overTime = useQuery({
    ...histogramQuery({ query: whole.query, bins: BINS, ...bounds }),
    placeholderData: keepPreviousData,
    enabled: !isJob,
    staleTime: 30_000,
    retry: false,
  });

  const start = useStable((part: Partial<typeof view> = {}) => {
    const next = { q: draft.trim() === "" ? undefined : draft, ...part };
    remember({ language: "search", query: next.q ?? "", from: "from" in part ? part.from : from, until: "until" in part ? part.until : until, ms: Date.now() });
    void client.invalidateQueries({ queryKey: ["histogram"], refetchType: "none" });
    void client.invalidateQueries({ queryKey: ["facets"], refetchType: "none" });
    runAgain();
    set({ ...next, job: undefined, event: undefined });
  });
  const stop = () => {
    void client.cancelQueries({ queryKey: rowsQuery.queryKey });
    void client.cancelQueries({ queryKey: ["histogram"] });
    void client.cancelQueries({ queryKey: ["facets"] });
  };
  const background = useMutation({
    mutationFn: () => {
      const { sort: _, ...body } = searchBody({ ...asked, sort: undefined });
      return make<BackgroundSearch>("/searches", { body: { ...body, limit: undefined } });
    },
    onSuccess: async (job) => {
      stop();
      await client.invalidateQueries({ queryKey: backgroundSearchesQuery().queryKey });
      set({ job: job.id, event: undefined });
    },
  });
  const recall = ({ language, query, from: since, until: before }: Recalled) => {
    if (language === "pipe") set({ view: "pipe", pipe: query });
    else start({ q: query, from: since, until: before });
  };
  const complete = useMemo(() => {
    const words = { short: (name: ShortName) => t(`search.short.${name}`), scope: () => ranged("*", { from, until }).query };
    return async (context: CompletionContext) => (await import("./editor/complete")).searchCompletion(client, words)(context);
  }, [client, t, from, until]);

  const rows = found.data?.rows ?? NO_ROWS;
  const [jobRows, setJobRows] = useState<readonly { id: string }[]>(NO_ROWS);
  const listed = isJob ? jobRows : rows;
  const index = useIndexOf(listed, idOf)(view.event);
  const open = useStable((event: string | undefined) => set({ event }, view.event !== undefined && event !== undefined));
  const shownColumns = view.event !== undefined && view.cols === undefined ? NARROW_COLUMNS : columns;
  const total = overTime.data && !overTime.isPlaceholderData ? overTime.data.total : undefined;

  return (
    <div className={styles.tab}>
      <QueryBar
        language="search"
        draft={draft}
        onDraft={setDraft}
        onRun={() => start()}
        onStop={stop}
        running={found.isFetching && !isJob}
        complete={complete}
        range={<TimeRange range={{ from, until }} onChange={(range) => start({ from: range.from, until: range.until })} />}
        tools={
          <>
            <Library language="search" query={draft} onRecall={recall} />
            <Export
              path="/search"
              note={t("search.export.note_events", { count: LIMITS[2] })}
              bodyOf={(format) => ({
                query: whole.query,
                limit: LIMITS[2],
                ...(sort && { sort }),
                ...(format === "csv" && view.cols && { columns: columns.join(",") }),
              })}
            />
          </>
        }
      />
      {!isJob && (
        <HistogramState query={overTime}>
          {(counts) => (
            <Histogram
              counts={counts}
              onRange={(fromMs, untilMs) => start({ q: view.q, from: new Date(fromMs).toISOString(), until: new Date(untilMs).toISOString() })}
            />
          )}
        </HistogramState>
      )}
      <div className={styles.body} data-event={view.event !== undefined || undefined}>
        <div className={styles.side}>
          <Facets
            fields={fields}
            onFields={(names) => set({ fields: names.join(",") }, true)}
            counted={isJob || (found.data && !found.isPlaceholderData && !found.error) ? whole.query : undefined}
            quiet={found.error !== null}
            total={total}
            query={q}
            onQuery={(query) => start({ q: query })}
            columns={columns}
            onColumns={(names) => set({ cols: names.join(",") }, true)}
          />
        </div>
        {isJob ? (
          <JobEvents
            id={view.job ?? ""}
            columns={shownColumns}
            tight={shownColumns !== columns}
            widths={widths}
            active={view.event}
            onActive={open}
            onRows={setJobRows}
            onLeave={() => set({ job: undefined, event: undefined })}
          />
        ) : (
          <Results
            found={found}
            whole={whole}
            written={q}
            total={total}
            columns={columns}
            shown={shownColumns}
            widths={widths}
            sort={sort}
            limit={limit}
            active={view.event}
            onActive={open}
            onSort={(next) => set({ sort: next }, true)}
            onLimit={(next) => set({ limit: next === LIMITS[0] ? undefined : next }, true)}
            onColumns={(names) => set({ cols: names?.join(",") }, true)}
            onAnyTime={from || until ? () => start({ from: undefined, until: undefined }) : undefined}
            onStop={stop}
            background={background}
          />
        )}
        {view.event !== undefined && (
          <EventPanel
            id={view.event}
            index={index}
            of={listed.length}
            onStep={(step) => open(listed[index + step]?.id)}
            onClose={() => set({ event: undefined })}
            onAround={(query, range) => start({ q: query === "" ? undefined : query, ...range })}
          />
        )}
      </div>
    </div>
  );
}

/** The axis shows the whole range where the browser can tell it. */
function boundsOf(from: string | undefined, until: string | undefined, nowMs: number): { from_dt?: string; until_dt?: string } {
  const fromMs = boundMs(from, nowMs);
  const untilMs = boundMs(until, nowMs) ?? (fromMs !== null && until === undefined && !from?.includes("T") ? nowMs : null);
  return {
    ...(fromMs !== null && { from_dt: new Date(fromMs).toISOString() }),
    ...(untilMs !== null && { until_dt: new Date(untilMs).toISOString() }),
  };
}
