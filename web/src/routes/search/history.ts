// The queries that were run in this browser, the newest first.
import type { Language } from "./editor/tokens";

export interface Past {
  language: Language;
  query: string;
  from?: string | undefined;
  until?: string | undefined;
  ms: number;
}

const KEY = "yagura.history";
const PAST_MAX = 50;

/** What was run, the newest first. */
export function past(): Past[] {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]") as unknown;
    return Array.isArray(kept) ? (kept as Past[]).filter((one) => typeof one?.query === "string") : [];
  } catch {
    return [];
  }
}

/** Notes that a query was run; the same one before moves to the front. */
export function remember(one: Past): void {
  if (one.query.trim() === "") return;
  const same = (other: Past) => other.language === one.language && other.query === one.query && other.from === one.from && other.until === one.until;
  const list = [one, ...past().filter((other) => !same(other))].slice(0, PAST_MAX);
  try {
    localStorage.setItem(KEY, JSON.stringify(list));
  } catch {
    // A browser that keeps nothing has no history.
  }
}

/** Forgets all of them. */
export function forgetPast(): void {
  localStorage.removeItem(KEY);
}
