// Keeps rows where they are while someone is at them; what is new waits.

export interface Held<T> {
  rows: T[];
  /** How many new rows wait. */
  fresh: number;
}

/**
 * The rows to show, given those shown before.
 *
 * Rows keep their places and get their new contents; rows that are gone stay as they were last
 * seen; new rows behind the last one known (a further page) are appended, all others wait.
 */
export function hold<T>(before: readonly T[], now: readonly T[], id: (row: T) => string): Held<T> {
  const fresh = new Map(now.map((row) => [id(row), row]));
  const rows = before.map((row) => {
    const key = id(row);
    const renewed = fresh.get(key) ?? row;
    fresh.delete(key);
    return renewed;
  });
  const known = new Set(before.map(id));
  let last = now.length - 1;
  while (last >= 0 && !known.has(id(now[last] as T))) last -= 1;
  for (const row of last < 0 ? [] : now.slice(last + 1)) {
    rows.push(row);
    fresh.delete(id(row));
  }
  return { rows, fresh: fresh.size };
}
