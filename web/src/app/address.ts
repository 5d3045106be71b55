// How the view stands in the address: plain text, so that what a link says is what is searched for.

/** Every value stays a string as it is written: `q="a b"` keeps its quotes, `q=12` is no number. */
export function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

/** Values as plain text behind `?`; what is absent or empty is left out. */
export function stringifySearch(search: Record<string, unknown>): string {
  const written = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value !== undefined && value !== null && value !== "") written.set(name, String(value));
  }
  const text = written.toString();
  return text && `?${text}`;
}
