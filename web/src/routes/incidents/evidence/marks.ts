// Finds the values that made a rule match in the raw record, as they are written there.
import type { Mark } from "@/components/Raw";

/** A value is marked at most this often; beyond it marks say nothing. */
const PLACES_MAX = 20;
/** Shorter values (a digit, say) are everywhere and are marked only where they stand alone. */
const SHORT_CHARS = 4;

/** Marks for `<Raw>`, in order and without overlaps; the title of each is its field. */
export function marksOf(raw: string, fields: Readonly<Record<string, string>>): Mark[] {
  const found: Mark[] = [];
  for (const [field, value] of Object.entries(fields)) {
    const written = spellings(value).find((text) => text !== "" && raw.includes(text)) ?? otherCase(raw, value);
    if (!written) continue;
    for (const start of places(raw, written)) found.push({ start, end: start + written.length, title: field });
  }
  found.sort((a, b) => a.start - b.start || b.end - a.end);
  const marks: Mark[] = [];
  for (const mark of found) {
    const last = marks.at(-1);
    if (!last || mark.start >= last.end) marks.push(mark);
    else if (mark.end > last.end) marks.push({ ...mark, start: last.end });
  }
  return marks;
}

/** The value as records write it: plain, escaped in JSON once or twice, escaped in XML. */
function spellings(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const xml = value.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return [value, json, JSON.stringify(json).slice(1, -1), xml, xml.replace(/"/g, "&quot;")];
}

/** The spelling in the record where only case differs. */
function otherCase(raw: string, value: string): string | undefined {
  const lower = raw.toLowerCase();
  if (value === "" || lower.length !== raw.length) return undefined;
  for (const text of spellings(value)) {
    const at = lower.indexOf(text.toLowerCase());
    if (at >= 0) return raw.slice(at, at + text.length);
  }
  return undefined;
}

function places(raw: string, text: string): number[] {
  const list: number[] = [];
  for (let at = raw.indexOf(text); at >= 0 && list.length < PLACES_MAX; at = raw.indexOf(text, at + text.length)) {
    const alone = !isWord(raw[at - 1]) && !isWord(raw[at + text.length]);
    if (alone || text.length >= SHORT_CHARS) list.push(at);
  }
  return list;
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character);
}
