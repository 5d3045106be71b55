// When a query was run last, and how long it has been running.
import { useEffect, useState } from "react";

let runs = 0;

/** `n` is 0 for the first run of a page, so that going back shows what was there. */
export function useRun(): [{ n: number; atMs: number }, () => void] {
  const [run, setRun] = useState(() => ({ n: 0, atMs: Date.now() }));
  return [run, () => setRun({ n: (runs += 1), atMs: Date.now() })];
}

/** Whole seconds since `running` became true. */
export function useElapsed(running: boolean): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    setSeconds(0);
    if (!running) return;
    const from = Date.now();
    const timer = setInterval(() => setSeconds(Math.floor((Date.now() - from) / 1_000)), 250);
    return () => clearInterval(timer);
  }, [running]);
  return seconds;
}
