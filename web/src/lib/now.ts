// The present, once a second (or slower), shared by everything that shows an age.
import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
let nowMs = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

/** Milliseconds since 1970, renewed every second while the tab is visible. */
export function useNow(): number {
  return useSyncExternalStore(onSecond, now);
}

export function onSecond(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

function tick(): void {
  if (document.hidden) return;
  nowMs = Date.now();
  for (const listener of listeners) listener();
}

/** The present as of the last second. */
export function now(): number {
  return nowMs;
}
