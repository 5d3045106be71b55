// Reads a Sigma file line by line, for showing: which lines are the rule's own, and what a line is made of.

export interface RuleLine {
  /** From 1. */
  number: number;
  indent: string;
  /** With its colon. */
  key: string;
  value: string;
  comment: string;
  /** Whether the line belongs to the rule that is looked at, and not to another one of the file. */
  own: boolean;
}

/** The lines of a file; a line (from 1) of one of its documents, or else `id`, says which of them is looked at. */
export function linesOf(text: string, id: string, at?: number): RuleLine[] {
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const own = ownLines(lines, id, at);
  return lines.map((line, i) => ({ number: i + 1, ...partsOf(line), own: i >= own.start && i < own.end }));
}

/** The lines of the document around a line or with this id or name; all where there is none. */
function ownLines(lines: readonly string[], id: string, at: number | undefined): { start: number; end: number } {
  let start = 0;
  for (let i = 0; i <= lines.length; i += 1) {
    if (i < lines.length && !/^---\s*(#.*)?$/.test(lines[i] ?? "")) continue;
    const isOwn = at === undefined ? lines.slice(start, i).some((line) => names(line, id)) : at > start && at <= i;
    if (isOwn) return { start, end: i };
    start = i + 1;
  }
  return { start: 0, end: lines.length };
}

function names(line: string, id: string): boolean {
  const match = /^(?:id|name):\s*["']?([^"'\s#]+)/.exec(line);
  return match !== null && match[1]?.toLowerCase() === id.toLowerCase();
}

function partsOf(line: string): { indent: string; key: string; value: string; comment: string } {
  const at = commentAt(line);
  const comment = line.slice(at);
  const code = line.slice(0, at);
  const match = /^(\s*(?:- +)*)((?:[^\s"'#:][^"'#:]*|"[^"]*"|'[^']*'):(?=\s|$))?(.*)$/.exec(code);
  return { indent: match?.[1] ?? "", key: match?.[2] ?? "", value: match?.[3] ?? code, comment };
}

/** Where a comment begins: a `#` at the start or after a space, outside quotes. */
function commentAt(line: string): number {
  let quote = "";
  for (let i = 0; i < line.length; i += 1) {
    const character = line[i] ?? "";
    if (quote) {
      if (character === quote) quote = "";
    } else if ((character === '"' || character === "'") && /[\s:[,(-]/.test(line[i - 1] ?? " ")) {
      quote = character;
    } else if (character === "#" && /\s/.test(line[i - 1] ?? " ")) {
      return i;
    }
  }
  return line.length;
}
