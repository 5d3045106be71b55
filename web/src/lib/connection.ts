// Whether the server answers, and how the live stream is.
import { useSyncExternalStore } from "react";

export type LiveState = "connecting" | "live" | "reconnecting" | "paused";

export interface Connection {
  reachable: boolean;
  live: LiveState;
  /** When the last sign of life came, in ms. */
  lastMs: number;
}

const listeners = new Set<() => void>();
const attempts = new Set<() => void>();
let current: Connection = { reachable: true, live: "connecting", lastMs: Date.now() };

/** The state as of now. */
export function connection(): Connection {
  return current;
}

/** Notes that a request was answered, or was not. */
export function reached(reachable: boolean): void {
  if (current.reachable === reachable) return;
  update({ reachable });
}

/** Notes how the live stream is. */
export function liveIs(live: LiveState, sign = false): void {
  const now = Date.now();
  if (current.live === live && (!sign || now - current.lastMs < 500)) return;
  update(sign ? { live, lastMs: now } : { live });
}

/** Asks whoever waits between attempts to try at once. */
export function tryNow(): void {
  for (const attempt of attempts) attempt();
}

/** Calls `attempt` when someone does not want to wait, until the returned function is called. */
export function onTryNow(attempt: () => void): () => void {
  attempts.add(attempt);
  return () => attempts.delete(attempt);
}

/** The state, kept up to date. */
export function useConnection(): Connection {
  return useSyncExternalStore(subscribe, connection);
}

function update(part: Partial<Connection>): void {
  current = { ...current, ...part };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
