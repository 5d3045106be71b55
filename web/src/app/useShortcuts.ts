// Keys that work on every page.
import { useEffect, useRef } from "react";
import { isComposing, isPlain, isTyping } from "@/lib/keys";
import { settings } from "@/lib/settings";
import { useStable } from "@/lib/useStable";
import { pages } from "./pages";

/** How long after `g` a letter still goes somewhere. */
const GO_MS = 1_200;

interface Actions {
  palette: () => void;
  help: () => void;
  go: (to: (typeof pages)[number]["to"]) => void;
}

export function useShortcuts(actions: Actions): void {
  const goUntil = useRef(0);
  const onKey = useStable((event: KeyboardEvent) => {
    if (isComposing(event) || event.defaultPrevented) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      actions.palette();
      return;
    }
    if (!settings().shortcuts || isTyping(event) || !isPlain(event) || isInOverlay(event)) return;
    const going = performance.now() < goUntil.current;
    goUntil.current = 0;
    const page = going && pages.find((p) => p.key === event.key);
    if (page) actions.go(page.to);
    else if (event.key === "g") goUntil.current = performance.now() + GO_MS;
    else if (event.key === "?") actions.help();
    else if (event.key === "/") focusFilter();
    else return;
    event.preventDefault();
  });
  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [onKey]);
}

function focusFilter(): void {
  const target = document.querySelector("[data-filter]");
  const field = target?.matches("input, textarea") ? target : (target?.querySelector("input, textarea, [contenteditable]") ?? target);
  if (field instanceof HTMLElement) field.focus();
}

function isInOverlay(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest("[role=dialog], [role=menu]") !== null;
}
