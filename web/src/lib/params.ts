// Readers for values in the address: each takes anything and gives a value that is allowed.

/** The text, or `undefined` where there is none. Numbers and booleans come back as their text. */
export function text(value: unknown): string | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return undefined;
}

/** One of the allowed words, or `undefined`. */
export function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((word) => word === value);
}

/** A whole number from `min` to `max`, or `undefined`. */
export function whole(value: unknown, min: number, max: number): number | undefined {
  const n = typeof value === "string" ? Number(value) : value;
  return typeof n === "number" && Number.isInteger(n) && n >= min && n <= max ? n : undefined;
}

/** A path inside the console to go back to; anything else becomes `/`. */
export function backPath(value: unknown): string {
  return typeof value === "string" && /^\/(?![/\\])[^\\\u0000-\u001f]*$/.test(value) ? value : "/";
}
