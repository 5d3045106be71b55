// Log text, which is hostile: text nodes only, hidden characters made visible, direction isolated.
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { bytes } from "@/lib/number";
import { cut, pieces } from "@/lib/raw";
import { Button } from "./Button";
import styles from "./Raw.module.css";

/** Longer text is folded at this many characters. */
const FOLD_CHARS = 4_096;

/** A part of the text to set off; offsets are UTF-16 units of the whole text, ends excluded. */
export interface Mark {
  start: number;
  end: number;
  className?: string | undefined;
  title?: string | undefined;
  /** Becomes `data-mark`, for pages that answer to pointing at it. */
  id?: string | undefined;
}

/** `marks` must not overlap and be in order. */
export function Raw({ text, marks = [], inline = false }: { text: string; marks?: readonly Mark[]; inline?: boolean }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const long = text.length > FOLD_CHARS;
  const shown = long && !open ? cut(text, FOLD_CHARS) : text;
  const Tag = inline ? "span" : "div";
  return (
    <Tag className={inline ? styles.inline : styles.block}>
      <code className={styles.text} dir="ltr" translate="no">
        {marked(shown, marks, (code) => t("raw.hidden", { code }))}
        {long && !open && <span aria-hidden="true">…</span>}
      </code>
      {long && (
        <Button kind="quiet" onPress={() => setOpen(!open)}>
          {open ? t("raw.fold") : t("raw.show_all", { size: bytes(text.length) })}
        </Button>
      )}
    </Tag>
  );
}

function marked(text: string, marks: readonly Mark[], explain: (code: string) => string): ReactNode[] {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const mark of marks) {
    const start = Math.max(at, Math.min(mark.start, text.length));
    const end = Math.min(mark.end, text.length);
    if (start >= end) continue;
    parts.push(...visible(text.slice(at, start), at, explain));
    parts.push(
      <mark key={`m${start}`} className={mark.className ?? styles.mark} title={mark.title} data-mark={mark.id}>
        {visible(text.slice(start, end), start, explain)}
      </mark>,
    );
    at = end;
  }
  parts.push(...visible(text.slice(at), at, explain));
  return parts;
}

function visible(text: string, offset: number, explain: (code: string) => string): ReactNode[] {
  return pieces(text, offset).map((piece) =>
    piece.escape ? (
      <span key={piece.start} className={styles.escape} title={explain(piece.text)}>
        {piece.text}
      </span>
    ) : (
      <span key={piece.start}>{piece.text}</span>
    ),
  );
}
