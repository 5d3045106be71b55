// Where a row stands among many, without looking through them each time.
import { useMemo } from "react";

/** The place of a row by its id, from 0; -1 where there is none. Keep `rows` and `id` stable. */
export function useIndexOf<T>(rows: readonly T[], id: (row: T) => string): (key: string | undefined) => number {
  return useMemo(() => indexOf(rows, id), [rows, id]);
}

/** The rows are looked through once, when a place is first asked for; of rows with one id the first counts. */
export function indexOf<T>(rows: readonly T[], id: (row: T) => string): (key: string | undefined) => number {
  let places: Map<string, number> | undefined;
  const collect = () => {
    const found = new Map<string, number>();
    for (let i = rows.length - 1; i >= 0; i -= 1) found.set(id(rows[i] as T), i);
    return found;
  };
  return (key) => {
    if (key === undefined) return -1;
    places ??= collect();
    return places.get(key) ?? -1;
  };
}
