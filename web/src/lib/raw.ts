// Splits hostile log text into readable pieces and visible escapes.

export interface Piece {
  text: string;
  /** Whether this stands for characters that would not show, or would change what shows. */
  escape: boolean;
  /** UTF-16 offset of the piece in the whole text. */
  start: number;
  /** How many UTF-16 units of the whole text it stands for. */
  length: number;
}

/**
 * Controls (C0, DEL, C1), bidirectional marks and overrides, zero-width and other format
 * characters, line separators, lone surrogates, tag characters, noncharacters.
 */
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\udb40[\udc00-\udfff]/g;

/** Whether some of `text` would not show. */
export function hides(text: string): boolean {
  return text.search(HIDDEN) >= 0;
}

/** The pieces of `text` in order; tab and line feed stay as they are. */
export function pieces(text: string, offset = 0): Piece[] {
  const list: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > at) list.push(plain(text, at, match.index, offset));
    list.push({
      text: escapeOf(match[0]),
      escape: true,
      start: offset + match.index,
      length: match[0].length,
    });
    at = match.index + match[0].length;
  }
  if (at < text.length) list.push(plain(text, at, text.length, offset));
  return list;
}

/** `text` on one line with every hidden character escaped, for titles and clipboards of tables. */
export function oneLine(text: string): string {
  return pieces(text.replace(/\s*\r?\n\s*/g, " ⏎ ").replace(/\t/g, " "))
    .map((p) => p.text)
    .join("");
}

/** A cut at `limit` UTF-16 units that does not part a surrogate pair. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit);
}

/** A part of a long text that is laid out by itself. */
export interface Chunk {
  /** UTF-16 offsets, the end excluded. */
  start: number;
  end: number;
  /** Whether it begins within a line of the text. */
  continued: boolean;
}

/** Where a chunk may end: no further back from its longest than this. */
const CHUNK_BACK = 512;

/** All of `text` in parts of at most `limit` UTF-16 units, which end at a line's end or a space where there is one near. */
export function chunks(text: string, limit: number): Chunk[] {
  const list: Chunk[] = [];
  for (let start = 0; start < text.length; ) {
    const end = chunkEnd(text, start, limit);
    list.push({ start, end, continued: start > 0 && text[start - 1] !== "\n" });
    start = end;
  }
  return list;
}

function chunkEnd(text: string, start: number, limit: number): number {
  const most = start + limit;
  if (most >= text.length) return text.length;
  const line = text.lastIndexOf("\n", most - 1);
  if (line >= start + limit / 2) return line + 1;
  const least = Math.max(start + 1, most - CHUNK_BACK);
  const space = text.lastIndexOf(" ", most - 1);
  if (space >= least) return space + 1;
  // Neither surrogate pairs nor a letter and its marks are parted.
  for (let end = most; end > least; end -= 1) if (!/^[\p{M}\udc00-\udfff]/u.test(text.slice(end, end + 2))) return end;
  return most;
}

function plain(text: string, from: number, to: number, offset: number): Piece {
  return { text: text.slice(from, to), escape: false, start: offset + from, length: to - from };
}

function escapeOf(hidden: string): string {
  const code = hidden.codePointAt(0) ?? 0;
  if (code === 0x0d) return "\\r";
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
