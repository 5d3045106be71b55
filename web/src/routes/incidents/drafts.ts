// Notes begun and not sent, kept while the console is open.
import type { Target } from "./decision/held";
import { keyOf } from "./queue";

const drafts = new Map<string, string>();

/** The draft of an incident, empty where there is none. */
export function draftOf(target: Target): string {
  return drafts.get(keyOf(target)) ?? "";
}

export function keepDraft(target: Target, text: string): void {
  drafts.set(keyOf(target), text);
}

export function dropDraft(target: Target): void {
  drafts.delete(keyOf(target));
}
