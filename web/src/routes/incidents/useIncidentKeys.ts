// Keys of the triage: digits propose verdicts, letters act.
import { useEffect } from "react";
import type { IncidentVerdict } from "@/api/types";
import { isComposing, isPlain, isTyping } from "@/lib/keys";
import { settings } from "@/lib/settings";
import { useStable } from "@/lib/useStable";
import { verdictOfKey } from "./decision/verdicts";

export interface IncidentActions {
  propose: (verdict: IncidentVerdict) => void;
  /** By the key, such as `a`. */
  letters: Record<string, () => void>;
}

/** Listens on the window, behind the shell's own shortcuts, which may have taken the key. */
export function useIncidentKeys({ propose, letters }: IncidentActions): void {
  const onKey = useStable((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.repeat || !settings().shortcuts) return;
    if (isTyping(event) || isComposing(event) || !isPlain(event) || isInOverlay(event)) return;
    const verdict = verdictOfKey(event.key);
    const act = letters[event.key];
    if (verdict) propose(verdict);
    else if (act) act();
    else return;
    event.preventDefault();
  });
  useEffect(() => {
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [onKey]);
}

function isInOverlay(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest("[role=dialog], [role=menu]") !== null;
}
