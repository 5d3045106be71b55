// Seconds that are left to wait, counted down to 0.
import { useEffect, useState } from "react";

/** The seconds left, and a function that begins to count. */
export function useCountdown(): [number, (seconds: number) => void] {
  const [untilMs, setUntilMs] = useState(0);
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const tick = () => setLeft(Math.max(0, Math.ceil((untilMs - Date.now()) / 1_000)));
    tick();
    if (untilMs <= Date.now()) return;
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [untilMs]);
  return [left, (seconds) => setUntilMs(Date.now() + seconds * 1_000)];
}
