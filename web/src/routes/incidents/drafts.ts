// Notes begun and not sent, kept while the console is open, each with the key that makes a repeat harmless.
import { keyOf } from "./queue";

export interface Draft {
  text: string;
  /** Idempotency key: one for each text, so that sending the same text twice adds it once. */
  key: string;
}

const drafts = new Map<string, Draft>();

/** The draft of an incident, an empty one where there is none. */
export function draftOf(target: { tenant: string; id: string }): Draft {
  return drafts.get(keyOf(target)) ?? { text: "", key: freshKey() };
}

/** Keeps a changed text under a new key. */
export function keepDraft(target: { tenant: string; id: string }, text: string): Draft {
  const draft = { text, key: freshKey() };
  drafts.set(keyOf(target), draft);
  return draft;
}

export function dropDraft(target: { tenant: string; id: string }): void {
  drafts.delete(keyOf(target));
}

/** 128 random bits; `crypto.randomUUID` is missing where the console is served without TLS. */
function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
