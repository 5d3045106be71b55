// Parts of a text that are set off.

/** A part of the text to set off; offsets are UTF-16 units of the whole text, ends excluded. */
export interface Mark {
  start: number;
  end: number;
  className?: string | undefined;
  title?: string | undefined;
  /** Becomes `data-mark`, for pages that answer to pointing at it. */
  id?: string | undefined;
}

/** For each of the parts, which follow each other, the marks that reach into it. */
export function marksWithin(marks: readonly Mark[], parts: readonly { start: number; end: number }[]): Mark[][] {
  let first = 0;
  return parts.map(({ start, end }) => {
    while (first < marks.length && (marks[first]?.end ?? 0) <= start) first += 1;
    const inside: Mark[] = [];
    for (let i = first; i < marks.length; i += 1) {
      const mark = marks[i];
      if (!mark || mark.start >= end) break;
      inside.push(mark);
    }
    return inside;
  });
}

/** Whether both set off the same in the same way. */
export function sameMarks(before: readonly Mark[], now: readonly Mark[]): boolean {
  if (before === now) return true;
  return before.length === now.length && before.every((mark, i) => same(mark, now[i]));
}

function same(mark: Mark, other: Mark | undefined): boolean {
  return (
    mark.start === other?.start &&
    mark.end === other.end &&
    mark.className === other.className &&
    mark.title === other.title &&
    mark.id === other.id
  );
}
