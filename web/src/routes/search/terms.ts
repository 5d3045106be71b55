// Terms of a search switched on and off, one beside the other.
import { withTerm } from "@/lib/query-text";

/** Whether the query has the term standing by itself. */
export function hasTerm(query: string, term: string): boolean {
  return ` ${query.trim()} `.includes(` ${term} `);
}

/** The query with the term (or its exclusion) added, or taken away where it stood; the opposite goes. */
export function toggled(query: string, term: string, exclude = false): string {
  const [wanted, opposite] = exclude ? [`-${term}`, term] : [term, `-${term}`];
  if (hasTerm(query, wanted)) return without(query, wanted);
  return withTerm(without(query, opposite), term, exclude);
}

function without(query: string, term: string): string {
  return hasTerm(query, term) ? ` ${query.trim()} `.replace(` ${term} `, " ").trim() : query;
}
