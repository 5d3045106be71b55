// The record as received, with the pieces that values came from; arrow keys go from piece to piece.
import { type KeyboardEvent, type MouseEvent, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { FieldSpan } from "@/api/types";
import { Raw } from "@/components";
import { oneLine } from "@/lib/raw";
import { segments } from "./spans";
import styles from "./EventRecord.module.css";

export interface EventRecordProps {
  text: string;
  spans: readonly FieldSpan[];
  /** Indexes of the spans that are lit up. */
  lit: ReadonlySet<number>;
  onPoint: (span: number | null) => void;
}

export function EventRecord({ text, spans, lit, onPoint }: EventRecordProps) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(-1);
  const pieces = useMemo(() => segments(spans, text.length), [spans, text]);
  const marks = useMemo(
    () =>
      pieces.map((piece, i) => {
        const span = spans[piece.spans[0] ?? -1];
        const isLit = piece.spans.some((index) => lit.has(index));
        const isWhole = span !== undefined && spans.length > 1 && span.end - span.start > text.length / 2;
        const className = isLit ? styles.lit : isWhole ? styles.whole : styles.span;
        return { start: piece.start, end: piece.end, id: String(i), className, title: span?.paths[0] ?? span?.field };
      }),
    [pieces, spans, lit, text],
  );
  useEffect(() => {
    box.current?.querySelector(`.${styles.lit}`)?.scrollIntoView({ block: "nearest" });
  }, [lit]);
  const point = (piece: number) => onPoint(pieces[piece]?.spans[0] ?? null);
  const onMouseOver = (event: MouseEvent) => {
    const mark = (event.target as Element).closest("[data-mark]");
    onPoint(mark ? (pieces[Number(mark.getAttribute("data-mark"))]?.spans[0] ?? null) : null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0 || pieces.length === 0) return;
    const next = (at + step + pieces.length) % pieces.length;
    setAt(next);
    point(next);
    event.preventDefault();
    event.stopPropagation();
  };
  const span = spans[pieces[at]?.spans[0] ?? -1];
  return (
    <div
      ref={box}
      className={styles.record}
      role="group"
      tabIndex={0}
      aria-label={t("search.event.record_label", { count: pieces.length })}
      onMouseOver={onMouseOver}
      onMouseLeave={() => onPoint(null)}
      onKeyDown={onKeyDown}
      onBlur={() => onPoint(null)}
    >
      <Raw text={text} marks={marks} />
      <span className="visually-hidden" role="status">
        {span ? `${span.paths[0] ?? span.field}: ${oneLine(span.value)}` : ""}
      </span>
    </div>
  );
}
