// What is being written at the cursor of a search, so that it can be completed.

export type Context =
  | { kind: "field"; from: number; typed: string }
  | { kind: "value"; from: number; field: string; typed: string };

const FIELD = /(?:^|[\s(!-])([A-Za-z_][\w.]*)$/;
const VALUE = /(?:^|[\s(!-])([A-Za-z_][\w.]*):\(?(?:[^\s()":]+ OR )*("[^"]*|[^\s()"]*)$/;

/** The field's name or value that ends at the cursor; `null` inside a phrase or a comparison. */
export function contextAt(text: string, offset: number): Context | null {
  const before = text.slice(0, offset);
  const value = VALUE.exec(before);
  if (value) {
    const written = value[2] ?? "";
    if (/^[<>=[{/]/.test(written)) return null;
    return { kind: "value", from: offset - written.length, field: value[1] ?? "", typed: written.replace(/^"/, "") };
  }
  if (quotes(before) % 2 === 1) return null;
  const field = FIELD.exec(before);
  return field ? { kind: "field", from: offset - (field[1]?.length ?? 0), typed: field[1] ?? "" } : null;
}

function quotes(text: string): number {
  return text.replace(/\\./g, "").split('"').length - 1;
}
