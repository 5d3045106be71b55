// Writes terms of the search language (docs/search.md).

/** `field:value` with the value quoted where it has to be. */
export function term(field: string | undefined, value: string): string {
  const written = /^[A-Za-z0-9_@.-]+$/.test(value) && !value.startsWith("-") && !isWord(value) ? value : quoted(value);
  return field ? `${field}:${written}` : written;
}

/** The query with a term added, or excluded. */
export function withTerm(query: string, added: string, exclude = false): string {
  const next = exclude ? `-${added}` : added;
  const base = query.trim();
  if (base === "" || base === "*") return next;
  const bracketed = /\sOR\s|\|\|/.test(base) && !/^\(.*\)$/.test(base) ? `(${base})` : base;
  return `${bracketed} ${next}`;
}

function quoted(value: string): string {
  return `"${value.replace(/[\\"]/g, "\\$&")}"`;
}

function isWord(value: string): boolean {
  return value === "AND" || value === "OR" || value === "NOT" || value === "TO";
}
