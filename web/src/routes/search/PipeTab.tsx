// Asking with pipes: query, chart where the answer has one, and the rows.
import type { CompletionContext } from "@codemirror/autocomplete";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiProblem } from "@/api/problem";
import { fieldsQuery } from "@/api/queries";
import { type Column, DataTable, Empty, ErrorState, Pivot, Raw, Skeleton, Time } from "@/components";
import { count } from "@/lib/number";
import { cut } from "@/lib/raw";
import { spanText } from "@/lib/time";
import { Export } from "./Export";
import { isLong, kindOf, textOf, widthOf } from "./fields";
import { remember } from "./history";
import { Library } from "./Library";
import { PIPE_ROWS_MAX } from "./limits";
import { PipeChart } from "./PipeChart";
import { chartOf, columnKind, type ColumnKind, columnNames, type PipeRow } from "./pipe-chart";
import { PipeStart } from "./PipeStart";
import { QueryBar } from "./QueryBar";
import { QueryFault } from "./QueryFault";
import { Amount, ResultFrame, ResultHead, ResultRows, Running } from "./ResultFrame";
import { pipeRowsQuery } from "./rows";
import { SHORT_NAMES } from "./short-names";
import { useRun } from "./useRun";
import { useView } from "./useView";
import { useWidths } from "./widths";
import styles from "./PipeTab.module.css";
import table from "./EventTable.module.css";

const CELL_CHARS_MAX = 400;
const complete = async (context: CompletionContext) => (await import("./editor/complete")).pipeCompletion()(context);

interface Numbered {
  n: number;
  row: PipeRow;
}

export function PipeTab() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { view, set } = useView();
  const pipe = view.pipe ?? "";
  const [draft, setDraft] = useState(pipe);
  const [run, runAgain] = useRun();
  useEffect(() => setDraft(pipe), [pipe]);
  const query = pipeRowsQuery(pipe, run.n);
  const found = useQuery({ ...query, enabled: pipe !== "", placeholderData: keepPreviousData });
  const { data, error, isFetching, isPlaceholderData } = found;
  const start = (text = draft) => {
    if (text.trim() === "") return;
    remember({ language: "pipe", query: text, ms: Date.now() });
    runAgain();
    set({ pipe: text });
  };
  const stop = () => void client.cancelQueries({ queryKey: query.queryKey });
  const stopped = pipe !== "" && !isFetching && !error && (data === undefined || isPlaceholderData);
  const refused = error instanceof ApiProblem && error.position !== null;
  return (
    <div className={styles.tab}>
      <QueryBar
        language="pipe"
        draft={draft}
        onDraft={setDraft}
        onRun={() => start()}
        onStop={stop}
        running={isFetching}
        complete={complete}
        tools={
          <>
            <Library
              language="pipe"
              query={draft}
              onRecall={(recalled) => {
                if (recalled.language === "pipe") start(recalled.query);
                else set({ view: undefined, q: recalled.query, from: recalled.from, until: recalled.until, event: undefined, job: undefined });
              }}
            />
            <Export
              path="/query"
              note={t("search.export.note_rows")}
              bodyOf={() => ({ query: pipe })}
              {...(pipe === "" && { disabled: t("search.export.nothing") })}
            />
          </>
        }
      />
      {pipe === "" ? (
        <PipeStart onTry={start} />
      ) : (
        <ResultFrame label={t("search.pipe.rows_label")} busy={isFetching}>
          <ResultHead
            said={
              isFetching ? (
                <Running onStop={stop} />
              ) : stopped ? (
                t("search.run.stopped")
              ) : data && !error ? (
                <Said rows={data.rows.length} cut={data.cut} tookMs={data.tookMs} />
              ) : null
            }
          />
          {refused && <QueryFault problem={error} written={pipe} />}
          {error && !refused && <ErrorState error={error} onRetry={() => void found.refetch()} {...(data && { asOfMs: found.dataUpdatedAt })} />}
          {!data && isFetching && <Skeleton rows={16} rowHeight={24} />}
          {data && !refused && (
            <ResultRows stale={isPlaceholderData || error !== null}>
              <Answer rows={data.rows} />
            </ResultRows>
          )}
        </ResultFrame>
      )}
    </div>
  );
}

function Said({ rows, cut: isCut, tookMs }: { rows: number; cut: boolean; tookMs: number }) {
  const { t } = useTranslation();
  const amount = isCut ? t("search.pipe.cut", { number: count(PIPE_ROWS_MAX) }) : t("search.pipe.rows", { count: rows, number: count(rows) });
  return <Amount cost={spanText(tookMs)}>{amount}</Amount>;
}

function Answer({ rows }: { rows: readonly PipeRow[] }) {
  const { t } = useTranslation();
  const widths = useWidths();
  const known = useFieldNames();
  const numbered = useMemo(() => rows.map((row, n): Numbered => ({ n, row })), [rows]);
  const chart = useMemo(() => chartOf(rows), [rows]);
  const columns = useMemo(
    () =>
      columnNames(rows).map((name): Column<Numbered> => {
        const kind = columnKind(rows, name);
        return {
          id: name,
          header: name,
          width: widths.of(name) === widthOf(name) && kind === "time" ? widthOf("time") : widths.of(name),
          value: ({ row }) => (kind === "number" ? (row[name] as number | null) : textOf(row[name])),
          cell: ({ row }) => cell(name, row[name], kind, known.has(name)),
          ...(kind === "number" && { align: "end" as const }),
          ...(isLong(name) && { grow: 1 }),
        };
      }),
    [rows, widths, known],
  );
  return (
    <>
      {chart && <PipeChart chart={chart} />}
      <div className={table.events}>
        <DataTable
          name="pipe"
          label={t("search.pipe.rows_label")}
          columns={columns}
          rows={numbered}
          rowId={rowId}
          rowHeight={24}
          primary
          onResize={widths.set}
          empty={<Empty reason="match" />}
        />
      </div>
    </>
  );
}

function rowId(row: Numbered): string {
  return String(row.n);
}

function cell(name: string, value: unknown, kind: ColumnKind, isField: boolean) {
  if (value === null || value === undefined) return null;
  if (kind === "time") return <Time value={value as string} />;
  if (kind === "number") return <span className="num">{isField ? String(value) : count(value as number)}</span>;
  const text = textOf(value);
  if (kind === "text" && !isLong(name) && text !== "") return <Pivot value={text} field={isField ? name : undefined} kind={kindOf(name)} />;
  return <Raw inline text={cut(text, CELL_CHARS_MAX).replace(/\s*\r?\n\s*/g, " ")} />;
}

/** Names that searches know; a column of another name is looked for in the record. */
function useFieldNames(): ReadonlySet<string> {
  const fields = useQuery(fieldsQuery());
  return useMemo(() => {
    const names = (fields.data?.items ?? []).flatMap((field) => [field.name, field.path]);
    return new Set<string>([...SHORT_NAMES, ...names]);
  }, [fields.data]);
}
