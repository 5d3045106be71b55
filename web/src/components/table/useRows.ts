// Sorted, visible and held rows of a DataTable.
import { type SortingState, useTable, type ColumnDef } from "@tanstack/react-table";
import { useEffect, useMemo, useRef, useState } from "react";
import { type Column, features, type Sort, sortable } from "./columns";
import { hold } from "./held";

type Visibility = Record<string, boolean>;

export interface RowsOptions<T extends object> {
  name: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowId: (row: T) => string;
  sort: Sort | undefined;
  onSort: ((sort: Sort | undefined) => void) | undefined;
  serverSorted: boolean;
  held: boolean;
}

export function useRows<T extends object>(options: RowsOptions<T>) {
  const { columns, rows, rowId, onSort } = options;
  const [ownSort, setOwnSort] = useState<Sort | undefined>(options.sort);
  const sort = onSort ? options.sort : ownSort;
  const [visibility, setVisibility] = useVisibility(options.name, columns);
  const definitions = useMemo(() => columns.map((column) => definition(column)), [columns]);
  const data = rows as T[];
  const sorting: SortingState = useMemo(() => (sort ? [sort] : []), [sort]);
  const table = useTable<typeof features, T>({
    features,
    columns: definitions,
    data,
    getRowId: rowId,
    manualSorting: options.serverSorted,
    enableMultiSort: false,
    state: { sorting, columnVisibility: visibility },
    onSortingChange: (change) => {
      const next = typeof change === "function" ? change(sorting) : change;
      (onSort ?? setOwnSort)(next[0]);
    },
    onColumnVisibilityChange: (change) => setVisibility(typeof change === "function" ? change(visibility) : change),
  });
  const model = table.getRowModel().rows;
  const sorted = useMemo(() => model.map((row) => row.original), [model]);
  const { shown, fresh, release } = useHeld(sorted, rowId, options.held, sort);
  const visible = useMemo(() => columns.filter((column) => visibility[column.id] !== false), [columns, visibility]);
  return { table, shown, fresh, release, visible, visibility, setVisibility, sort };
}

function definition<T extends object>(column: Column<T>): ColumnDef<typeof features, T> {
  return {
    id: column.id,
    accessorFn: (row: T) => sortable(column, row),
    enableSorting: column.value !== undefined,
    enableHiding: !column.fixed,
    sortUndefined: "last",
    sortFn: "alphanumeric",
  };
}

function useHeld<T>(sorted: T[], rowId: (row: T) => string, held: boolean, sort: Sort | undefined) {
  const before = useRef<{ rows: T[]; key: string }>({ rows: sorted, key: "" });
  const [released, setReleased] = useState(0);
  const key = `${sort?.id}/${sort?.desc}/${released}`;
  const result = useMemo(() => {
    const same = before.current.key === key && before.current.rows.length > 0;
    return held && same ? hold(before.current.rows, sorted, rowId) : { rows: sorted, fresh: 0 };
  }, [sorted, rowId, held, key]);
  useEffect(() => {
    before.current = { rows: result.rows, key };
  }, [result, key]);
  return { shown: result.rows, fresh: result.fresh, release: () => setReleased((n) => n + 1) };
}

/** Which columns show, kept in localStorage under the table's name. */
function useVisibility<T>(name: string, columns: readonly Column<T>[]) {
  const key = `yagura.columns.${name}`;
  const [chosen, setChosen] = useState<Visibility>(() => {
    try {
      return JSON.parse(localStorage.getItem(key) ?? "{}") as Visibility;
    } catch {
      return {};
    }
  });
  const visibility = useMemo(() => {
    const all = columns.map((column): [string, boolean] => [column.id, column.fixed || (chosen[column.id] ?? !column.hidden)]);
    return Object.fromEntries(all);
  }, [columns, chosen]);
  const set = (next: Visibility) => {
    setChosen(next);
    try {
      localStorage.setItem(key, JSON.stringify(next));
    } catch {
      // The choice holds until the page is closed.
    }
  };
  return [visibility, set] as const;
}
