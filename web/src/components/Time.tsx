// Times and ages in the zone the viewer chose, UTC in the tooltip.
import { useSyncExternalStore } from "react";
import { now, onSecond } from "@/lib/now";
import { useSettings } from "@/lib/settings";
import { ageText, type TimeForm, timeText, toMs, utcText } from "@/lib/time";

type Value = string | number | null | undefined;

/** `2026-11-26 14:03:22 +09:00`; nothing where there is no time. */
export function Time({ value, form = "seconds" }: { value: Value; form?: TimeForm }) {
  const { zone } = useSettings();
  const ms = toMs(value);
  if (ms === null) return <span className="muted">–</span>;
  return (
    <time dateTime={utcText(ms)} title={utcText(ms)}>
      {timeText(ms, zone, form)}
    </time>
  );
}

/** `3 min ago`, renewed by itself; both times in the tooltip. */
export function Age({ value }: { value: Value }) {
  const { zone, language } = useSettings();
  const ms = toMs(value);
  const text = useSyncExternalStore(onSecond, () => (ms === null ? "–" : ageText(Math.min(ms, now()), now(), language)));
  if (ms === null) return <span className="muted">–</span>;
  return (
    <time dateTime={utcText(ms)} title={`${timeText(ms, zone)} · ${utcText(ms)}`}>
      {text}
    </time>
  );
}
