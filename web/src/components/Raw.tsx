// Log text, which is hostile: text nodes only, hidden characters made visible, direction isolated.
import { type ClipboardEvent, memo, type ReactNode, useDeferredValue, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { bytes } from "@/lib/number";
import { type Chunk, chunks, cut, hides, pieces } from "@/lib/raw";
import { Button } from "./Button";
import { type Mark, marksWithin, sameMarks } from "./marks";
import styles from "./Raw.module.css";

export type { Mark };

/** Longer text is folded at this many characters. */
const FOLD_CHARS = 4_096;
/** Browsers lay out a text in one piece, some in a time that grows with its square: long ones are parted. */
const CHUNK_CHARS_MAX = 4_096;
/** So many parts are drawn at once, and the others as soon as the page has answered. */
const CHUNKS_AT_ONCE = 6;
/** What a part is taken to be high until it has been seen: so many characters a line, so many pixels. */
const LINE_CHARS = 80;
const LINE_PX = 20;

/** `marks` must not overlap and be in order. */
export function Raw({ text, marks = [], inline = false }: { text: string; marks?: readonly Mark[]; inline?: boolean }) {
  const [open, setOpen] = useState(false);
  const long = text.length > FOLD_CHARS;
  const shown = long && !open ? cut(text, FOLD_CHARS) : text;
  const Tag = inline ? "span" : "div";
  return (
    <Tag className={inline ? styles.inline : styles.block}>
      {long && open && !inline ? (
        <Chunks text={text} marks={marks} />
      ) : (
        <code className={styles.text} dir="ltr" translate="no">
          <Marked text={shown} offset={0} marks={marks} />
          {long && !open && <span aria-hidden="true">…</span>}
        </code>
      )}
      {long && <Fold open={open} chars={text.length} onChange={setOpen} />}
    </Tag>
  );
}

function Fold({ open, chars, onChange }: { open: boolean; chars: number; onChange: (open: boolean) => void }) {
  const { t } = useTranslation();
  return (
    <Button kind="quiet" onPress={() => onChange(!open)}>
      {open ? t("raw.fold") : t("raw.show_all", { size: bytes(chars) })}
    </Button>
  );
}

/** All of a long text. Parts that are out of sight are there, to be found and copied, and not laid out. */
function Chunks({ text, marks }: { text: string; marks: readonly Mark[] }) {
  const list = useMemo(() => chunks(text, CHUNK_CHARS_MAX), [text]);
  const within = useMemo(() => marksWithin(marks, list), [marks, list]);
  const drawn = useDeferredValue(list.length, CHUNKS_AT_ONCE);
  return (
    <code className={styles.text} dir="ltr" translate="no" aria-busy={drawn < list.length || undefined} onCopy={copyAsOne}>
      {list.slice(0, drawn).map((chunk, i) => (
        <Part key={chunk.start} text={text} chunk={chunk} marks={within[i] ?? []} />
      ))}
    </code>
  );
}

const Part = memo(
  function Part({ text, chunk, marks }: { text: string; chunk: Chunk; marks: readonly Mark[] }) {
    const { start, end, continued } = chunk;
    const part = text.slice(start, end);
    const lines = part.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / LINE_CHARS)), 0);
    return (
      <span className={styles.part} data-continued={continued || undefined} style={{ containIntrinsicBlockSize: `auto ${lines * LINE_PX}px` }}>
        <Marked text={part} offset={start} marks={marks} />
      </span>
    );
  },
  (before, now) => before.text === now.text && before.chunk === now.chunk && sameMarks(before.marks, now.marks),
);

/** The parts are of one text: what is copied of them has no line ends between them. */
function copyAsOne(event: ClipboardEvent<HTMLElement>): void {
  const selection = document.getSelection();
  const range = selection && selection.rangeCount === 1 ? selection.getRangeAt(0) : null;
  if (!range || range.collapsed || !event.currentTarget.contains(range.commonAncestorContainer)) return;
  event.clipboardData.setData("text/plain", range.cloneContents().textContent ?? "");
  event.preventDefault();
}

interface MarkedProps {
  text: string;
  /** Where it begins in the whole text, which `marks` are of. */
  offset: number;
  marks: readonly Mark[];
}

/** Tables have hundreds of texts: those that need no words have no hook for them. */
function Marked({ text, offset, marks }: MarkedProps) {
  return hides(text) ? <Explained text={text} offset={offset} marks={marks} /> : marked(text, offset, marks, String);
}

function Explained({ text, offset, marks }: MarkedProps) {
  const { t } = useTranslation();
  return marked(text, offset, marks, (code) => t("raw.hidden", { code }));
}

function marked(text: string, offset: number, marks: readonly Mark[], explain: (code: string) => string): ReactNode[] {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const mark of marks) {
    const start = Math.max(at, Math.min(mark.start - offset, text.length));
    const end = Math.min(mark.end - offset, text.length);
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
      piece.text
    ),
  );
}
