// An event as a tree; the value that is pointed at shows where it stands in the record.
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Icon, Pivot, Raw, Time } from "@/components";
import { isTime, kindOf } from "./fields";
import { openLines, type TreeLine, treeLines } from "./tree";
import styles from "./EventTree.module.css";

/** Longer values are shown as text below their key, which folds. */
const PIVOT_CHARS_MAX = 240;

export interface EventTreeProps {
  event: Record<string, unknown>;
  /** Paths that are lit up. */
  lit: ReadonlySet<string>;
  /** Paths whose values stand in the record. */
  placed: ReadonlySet<string>;
  onPoint: (path: string | null) => void;
}

export function EventTree({ event, lit, placed, onPoint }: EventTreeProps) {
  const { t } = useTranslation();
  const list = useRef<HTMLUListElement>(null);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const all = useMemo(() => treeLines(event), [event]);
  const lines = useMemo(() => openLines(all, closed), [all, closed]);
  const toggle = (id: string) => setClosed((old) => (old.has(id) ? new Set([...old].filter((one) => one !== id)) : new Set([...old, id])));
  useEffect(() => {
    list.current?.querySelector("[data-lit]")?.scrollIntoView({ block: "nearest" });
  }, [lit]);
  const onKeyDown = (key: KeyboardEvent<HTMLUListElement>) => {
    const step = key.key === "ArrowDown" ? 1 : key.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    const stops = [...key.currentTarget.querySelectorAll<HTMLElement>("button")];
    const next = stops[stops.indexOf(document.activeElement as HTMLElement) + step];
    if (next) next.focus();
    key.preventDefault();
    key.stopPropagation();
  };
  return (
    <ul ref={list} className={styles.tree} aria-label={t("search.event.tree")} onKeyDown={onKeyDown} onMouseLeave={() => onPoint(null)}>
      {lines.map((line) => (
        <li
          key={line.id}
          className={styles.line}
          style={{ paddingLeft: 14 + line.depth * 14 }}
          data-lit={lit.has(line.path) && line.size === undefined ? true : undefined}
          data-placed={placed.has(line.path) && line.size === undefined ? true : undefined}
          onMouseEnter={() => onPoint(line.path)}
          onFocus={() => onPoint(line.path)}
          onBlur={() => onPoint(null)}
        >
          {line.size !== undefined ? (
            <button type="button" className={styles.group} aria-expanded={!closed.has(line.id)} onClick={() => toggle(line.id)}>
              <Icon name={closed.has(line.id) ? "right" : "down"} size={12} />
              {line.key}
              {closed.has(line.id) && <span className="muted">{line.size}</span>}
            </button>
          ) : (
            <>
              {line.key && <span className={styles.key}>{line.key}</span>}
              <span className={styles.value}>
                <LeafValue line={line} />
              </span>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

function LeafValue({ line }: { line: TreeLine }) {
  const { value, path, key } = line;
  if (value === null || value === undefined) return <span className="muted">–</span>;
  const text = String(value);
  if (isTime(key) && (typeof value === "string" || (typeof value === "number" && value > 1e11))) return <Time value={value} form="full" />;
  if (text.length > PIVOT_CHARS_MAX) return <Raw text={text} />;
  return <Pivot value={text} field={path} kind={kindOf(path)} />;
}
