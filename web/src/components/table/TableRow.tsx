// One row of a DataTable; draws again only when something of it changes.
import { memo, type MouseEvent } from "react";
import type { Column } from "./columns";
import styles from "./DataTable.module.css";

interface TableRowProps<T> {
  id: string;
  index: number;
  row: T;
  columns: readonly Column<T>[];
  template: string;
  top: number;
  height: number;
  active: boolean;
  selected: boolean | undefined;
  onClick: (event: MouseEvent, row: T) => void;
  onOpen: (row: T) => void;
}

function Row<T>({ id, index, row, columns, template, top, height, active, selected, onClick, onOpen }: TableRowProps<T>) {
  return (
    <div
      id={id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected ?? active}
      className={styles.row}
      data-active={active || undefined}
      data-selected={selected || undefined}
      style={{ gridTemplateColumns: template, transform: `translateY(${top}px)`, height }}
      onClick={(event) => onClick(event, row)}
      onDoubleClick={() => onOpen(row)}
    >
      {columns.map((column) => (
        <div
          key={column.id}
          role="gridcell"
          className={[styles.cell, column.align === "end" ? styles.end : "", column.code ? styles.code : ""].join(" ")}
        >
          {column.cell ? column.cell(row) : <span>{column.value?.(row)}</span>}
        </div>
      ))}
    </div>
  );
}

export const TableRow = memo(Row) as typeof Row;
