// What a column of a DataTable is, and how it becomes one of TanStack Table.
import {
  columnVisibilityFeature,
  createSortedRowModel,
  rowSortingFeature,
  sortFn_alphanumeric,
  sortFn_basic,
  tableFeatures,
} from "@tanstack/react-table";
import type { ReactNode } from "react";

export interface Column<T> {
  id: string;
  header: string;
  /** Names the column for screen readers where its header is blank. */
  named?: string;
  /** What is sorted by, and shown where there is no `cell`. Without it the column does not sort. */
  value?: (row: T) => string | number | null | undefined;
  /** What is shown. Links and `Pivot` are welcome. */
  cell?: (row: T) => ReactNode;
  /** Pixels; 120 where absent. */
  width?: number;
  /** Takes a share of the room left over, beyond `width`. */
  grow?: number;
  align?: "end";
  /** Monospaced. */
  code?: boolean;
  /** Not shown until chosen. */
  hidden?: boolean;
  /** Always shown. */
  fixed?: boolean;
}

export interface Sort {
  id: string;
  desc: boolean;
}

export const features = tableFeatures({
  rowSortingFeature,
  columnVisibilityFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { alphanumeric: sortFn_alphanumeric, basic: sortFn_basic },
});

/** The value a column sorts by; what is missing comes last. */
export function sortable<T>(column: Column<T>, row: T): string | number | undefined {
  return column.value?.(row) ?? undefined;
}

/** The grid's tracks for the visible columns. */
export function tracks<T>(columns: readonly Column<T>[]): string {
  return columns
    .map((column) => {
      const width = column.width ?? 120;
      return column.grow ? `minmax(${width}px, ${column.grow}fr)` : `${width}px`;
    })
    .join(" ");
}

/** The least width of the visible columns together. */
export function leastWidth<T>(columns: readonly Column<T>[]): number {
  return columns.reduce((sum, column) => sum + (column.width ?? 120), 0);
}
