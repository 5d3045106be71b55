// j, k, Enter, Space, x and their like for a list.
import { type RefObject, useEffect } from "react";
import { isComposing, isPlain, isTyping } from "@/lib/keys";
import { settings } from "@/lib/settings";

export interface ListKeys {
  count: number;
  /** -1 where none is active. */
  active: number;
  pageRows: number;
  move: (index: number) => void;
  open: ((index: number) => void) | undefined;
  peek: ((index: number) => void) | undefined;
  select: ((index: number) => void) | undefined;
  leave: () => void;
}

/** The handler for the list's own keydown events; true where it took the key. */
export function handleListKey(event: KeyboardEvent, list: ListKeys): boolean {
  if (isTyping(event) || isComposing(event) || !isPlain(event)) return false;
  const onControl = event.target instanceof Element && event.target.closest("a, button") !== null;
  const act = (run: ((index: number) => void) | undefined) => {
    if (!run || list.active < 0) return false;
    run(list.active);
    return true;
  };
  const go = (index: number) => {
    if (list.count === 0) return false;
    list.move(Math.max(0, Math.min(list.count - 1, index)));
    return true;
  };
  const letter = settings().shortcuts ? event.key : "";
  if (letter === "j" || event.key === "ArrowDown") return go(list.active + 1);
  if (letter === "k" || event.key === "ArrowUp") return go(list.active < 0 ? 0 : list.active - 1);
  if (event.key === "PageDown") return go(list.active + list.pageRows);
  if (event.key === "PageUp") return go(list.active - list.pageRows);
  if (event.key === "Home") return go(0);
  if (event.key === "End") return go(list.count - 1);
  if (event.key === "Enter" && !onControl) return act(list.open);
  if (event.key === " " && !onControl) return act(list.peek ?? list.select);
  if (letter === "x") return act(list.select);
  if (event.key === "Escape" && list.active >= 0) {
    list.leave();
    return true;
  }
  return false;
}

/** Lets the page's main list take `j`, `k` and arrows when nothing else has the focus. */
export function usePrimaryList(element: RefObject<HTMLElement | null>, primary: boolean): void {
  useEffect(() => {
    if (!primary) return;
    const onKey = (event: KeyboardEvent) => {
      const idle = document.activeElement === document.body || document.activeElement?.id === "content";
      const list = element.current;
      if (!idle || !list || !["j", "k", "ArrowDown", "ArrowUp"].includes(event.key)) return;
      if (!isPlain(event) || isComposing(event) || (event.key.length === 1 && !settings().shortcuts)) return;
      event.preventDefault();
      list.focus();
      list.dispatchEvent(new KeyboardEvent("keydown", { key: event.key, bubbles: true, cancelable: true }));
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [element, primary]);
}
