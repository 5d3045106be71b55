// The table of events with the columns that were chosen.
import { type ReactNode, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { type Column, DataTable, Pivot, Raw, SeverityMark, type Sort, Time } from "@/components";
import type { Severity } from "@/api/types";
import { cut } from "@/lib/raw";
import type { Widths } from "./FieldPicker";
import { isComposed, isLong, isTime, kindOf, textOf } from "./fields";
import type { EventRow } from "./rows";
import styles from "./EventTable.module.css";

const ROW_PX = 24;
const TIGHT_PX = 160;
/** Cells show no more of a text; the event has all of it. */
const CELL_CHARS_MAX = 400;
const SEVERITIES: readonly string[] = ["informational", "low", "medium", "high", "critical"] satisfies Severity[];

export interface EventTableProps {
  rows: readonly EventRow[];
  columns: readonly string[];
  widths: Widths;
  /** Beside an open event: long texts take what is left instead of their width. */
  tight?: boolean;
  active: string | undefined;
  onActive: (id: string | undefined) => void;
  /** As in the address; absent where the order cannot be chosen. */
  sort?: string | undefined;
  onSort?: (sort: string | undefined) => void;
  empty: ReactNode;
}

export function EventTable({ rows, columns, widths, tight = false, active, onActive, sort, onSort, empty }: EventTableProps) {
  const { t } = useTranslation();
  const sortable = onSort !== undefined;
  const shown = useMemo(
    () =>
      columns.map((name): Column<EventRow> => {
        const numeric = isNumeric(rows, name);
        return {
          id: name,
          header: name,
          width: tight && isLong(name) ? Math.min(TIGHT_PX, widths.of(name)) : widths.of(name),
          fixed: true,
          cell: (row) => cell(name, row[name]),
          ...(isLong(name) && { grow: 1 }),
          ...(numeric && { align: "end" as const }),
          ...(sortable && !isComposed(name) && { value: (row) => textOf(row[name]) }),
        };
      }),
    [columns, rows, sortable, tight, widths],
  );
  const order: Sort | undefined = sort === undefined ? undefined : { id: sort.replace(/^-/, ""), desc: sort.startsWith("-") };
  return (
    <div className={styles.events}>
      <DataTable
        name="events"
        label={t("search.events.label")}
        columns={shown}
        rows={rows}
        rowId={rowId}
        rowHeight={ROW_PX}
        activeId={active}
        onActive={onActive}
        onOpen={(row) => onActive(row.id)}
        sort={order}
        {...(onSort && { onSort: (next: Sort | undefined) => onSort(next && `${next.desc ? "-" : ""}${next.id}`) })}
        serverSorted
        primary
        onResize={widths.set}
        empty={empty}
      />
    </div>
  );
}

function rowId(row: EventRow): string {
  return row.id;
}

/** A value in its cell: times, severities and log text have their own form, all else can be gone on from. */
export function cell(name: string, value: unknown): ReactNode {
  if (value === null || value === undefined || value === "") return null;
  if (isTime(name) && (typeof value === "string" || typeof value === "number")) return <Time value={value} />;
  const whole = textOf(value);
  const text = cut(whole, CELL_CHARS_MAX);
  if (name === "severity" && SEVERITIES.includes(text.toLowerCase())) return <SeverityMark value={text.toLowerCase() as Severity} />;
  if (isLong(name) || typeof value === "object") return <Raw inline text={text.replace(/\s*\r?\n\s*/g, " ")} />;
  return <Pivot value={whole} field={name} kind={kindOf(name)} />;
}

function isNumeric(rows: readonly EventRow[], name: string): boolean {
  const first = rows.slice(0, 50).find((row) => row[name] !== null && row[name] !== undefined);
  return typeof first?.[name] === "number" && !isTime(name);
}
