// The console's table: virtual rows, sorting, columns to choose, keys, and rows that never move.
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type MouseEvent, type ReactNode, useCallback, useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useIndexOf } from "@/lib/useIndexOf";
import { useStable } from "@/lib/useStable";
import { Icon } from "../Icon";
import { type Column, leastWidth, type Sort, tracks } from "./columns";
import { ColumnMenu } from "./ColumnMenu";
import { ResizeHandle } from "./ResizeHandle";
import styles from "./DataTable.module.css";
import { TableRow } from "./TableRow";
import { handleListKey, usePrimaryList } from "./useListKeys";
import { useRows } from "./useRows";

export interface DataTableProps<T extends object> {
  /** Under this name the chosen columns are kept. */
  name: string;
  label: string;
  /** Keep it stable (`useMemo`). */
  columns: readonly Column<T>[];
  /** Keep it stable. */
  rows: readonly T[];
  /** Keep it stable. */
  rowId: (row: T) => string;
  activeId?: string | undefined;
  onActive?: (id: string | undefined) => void;
  /** Enter, or a double click. */
  onOpen?: (row: T) => void;
  /** Space. */
  onPeek?: (row: T) => void;
  selected?: ReadonlySet<string>;
  onSelect?: (id: string) => void;
  sort?: Sort | undefined;
  /** With it the sort order is the caller's, which should keep it in the address. */
  onSort?: (sort: Sort | undefined) => void;
  /** Rows come sorted; the caller asks anew when the order changes. */
  serverSorted?: boolean;
  /** New rows wait behind a "N new" pill while a row is active, selected or scrolled past. */
  live?: boolean;
  /** The page's main list: takes `j` and `k` when nothing has the focus. */
  primary?: boolean;
  /** Asked for when the end comes near. */
  onEnd?: (() => void) | undefined;
  loadingMore?: boolean;
  rowHeight?: number;
  /** With it columns get a handle to drag; the caller keeps the widths, in pixels. */
  onResize?: ((id: string, width: number) => void) | undefined;
  /** Shown instead of rows. */
  empty?: ReactNode;
}

const OVERSCAN_ROWS = 12;
const END_ROWS = 40;
const HEAD_PX = 28;

export function DataTable<T extends object>(props: DataTableProps<T>) {
  const { t } = useTranslation();
  const { rowId, rowHeight = 28, onOpen, onPeek, onSelect, onEnd } = props;
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [ownActive, setOwnActive] = useState<string>();
  const [scrolled, setScrolled] = useState(false);
  const activeId = props.onActive ? props.activeId : ownActive;
  const setActive = props.onActive ?? setOwnActive;
  const held = Boolean(props.live && (activeId !== undefined || scrolled || (props.selected?.size ?? 0) > 0));
  const { table, shown, fresh, release, visible, visibility, setVisibility, sort } = useRows({
    name: props.name,
    columns: props.columns,
    rows: props.rows,
    rowId,
    sort: props.sort,
    onSort: props.onSort,
    serverSorted: props.serverSorted ?? false,
    held,
  });
  // With another function the virtualizer would measure every row anew.
  const getItemKey = useCallback((index: number) => rowId(shown[index] as T), [shown, rowId]);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN_ROWS,
    scrollMargin: HEAD_PX,
    scrollPaddingStart: HEAD_PX,
    getItemKey,
  });
  const active = useIndexOf(shown, rowId)(activeId);
  const items = virtual.getVirtualItems();
  const lastIndex = items.at(-1)?.index ?? 0;

  useEffect(() => {
    if (onEnd && shown.length > 0 && lastIndex >= shown.length - END_ROWS) onEnd();
  }, [lastIndex, shown.length, onEnd]);
  useEffect(() => {
    if (active >= 0) virtual.scrollToIndex(active);
  }, [active, virtual]);
  usePrimaryList(scroller, props.primary ?? false);

  const at = (run: ((row: T) => void) | undefined) => run && ((index: number) => shown[index] && run(shown[index]));
  const onKeyDown = (event: KeyboardEvent) => {
    const taken = handleListKey(event.nativeEvent, {
      count: shown.length,
      active,
      pageRows: Math.max(1, Math.floor((scroller.current?.clientHeight ?? 280) / rowHeight) - 2),
      move: (index) => setActive(rowId(shown[index] as T)),
      open: at(onOpen),
      peek: at(onPeek),
      select: at(onSelect && ((row) => onSelect(rowId(row)))),
      leave: () => setActive(undefined),
    });
    if (taken) event.preventDefault();
  };
  const onClick = useStable((event: MouseEvent, row: T) => {
    if (!(event.target as Element).closest("a, button, input")) setActive(rowId(row));
  });
  const open = useStable((row: T) => onOpen?.(row));
  const template = `${tracks(visible)} ${visible.some((column) => column.grow) ? "28px" : "minmax(28px, 1fr)"}`;

  return (
    <div className={styles.frame}>
      {fresh > 0 && (
        <button
          type="button"
          className={styles.pill}
          title={t("state.show_new")}
          onClick={() => {
            setActive(undefined);
            release();
            scroller.current?.scrollTo({ top: 0 });
          }}
        >
          <Icon name="up" size={12} />
          {t("state.new_rows", { count: fresh })}
        </button>
      )}
      <div
        ref={scroller}
        className={styles.scroller}
        role="grid"
        tabIndex={0}
        aria-label={props.label}
        aria-rowcount={shown.length + 1}
        aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
        onKeyDown={onKeyDown}
        onScroll={(event) => setScrolled(event.currentTarget.scrollTop > rowHeight)}
      >
        <div className={styles.inner} style={{ minWidth: leastWidth(visible) + 28 }}>
          <div role="rowgroup" className={styles.head}>
            <div role="row" aria-rowindex={1} className={styles.headRow} style={{ gridTemplateColumns: template }}>
              {visible.map((column) => (
                <HeadCell
                  key={column.id}
                  column={column}
                  sort={sort}
                  onSort={column.value && (() => table.getColumn(column.id)?.toggleSorting())}
                  onResize={props.onResize}
                />
              ))}
              <div role={props.columns.every((column) => column.fixed) ? "presentation" : "columnheader"} className={styles.menuCell}>
                <ColumnMenu columns={props.columns} visibility={visibility} onChange={setVisibility} />
              </div>
            </div>
          </div>
          <div role="rowgroup" className={styles.body} style={{ height: virtual.getTotalSize() }}>
            {items.map((item) => {
              const row = shown[item.index] as T;
              const key = rowId(row);
              return (
                <TableRow
                  key={key}
                  id={`${id}-${item.index}`}
                  index={item.index}
                  row={row}
                  columns={visible}
                  template={template}
                  top={item.start - HEAD_PX}
                  height={rowHeight}
                  active={item.index === active}
                  selected={props.selected?.has(key)}
                  onClick={onClick}
                  onOpen={open}
                />
              );
            })}
          </div>
        </div>
      </div>
      {shown.length === 0 && props.empty && <div className={styles.empty}>{props.empty}</div>}
      {props.loadingMore && (
        <div className={styles.more} role="status">
          {t("table.load_more")}
        </div>
      )}
    </div>
  );
}

function HeadCell<T>({ column, sort, onSort, onResize }: {
  column: Column<T>;
  sort: Sort | undefined;
  onSort: (() => void) | undefined;
  onResize: ((id: string, width: number) => void) | undefined;
}) {
  const { t } = useTranslation();
  const direction = sort?.id === column.id ? (sort.desc ? "descending" : "ascending") : undefined;
  const className = [styles.headCell, column.align === "end" ? styles.end : ""].join(" ");
  return (
    <div role="columnheader" className={className} aria-sort={onSort ? (direction ?? "none") : undefined}>
      {onSort ? (
        <button type="button" className={styles.sort} tabIndex={-1} onClick={onSort} title={t("table.sort_by", { column: column.header })}>
          <span className="clip">{column.header}</span>
          {direction && <Icon name={direction === "ascending" ? "up" : "down"} size={12} />}
        </button>
      ) : (
        <span className={column.header ? "clip" : "visually-hidden"}>{column.header || column.named}</span>
      )}
      {onResize && <ResizeHandle onResize={(width) => onResize(column.id, width)} />}
    </div>
  );
}
