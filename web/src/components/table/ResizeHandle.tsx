// The edge of a column's heading, which is dragged to make the column wider or narrower.
import type { PointerEvent } from "react";
import styles from "./ResizeHandle.module.css";

const WIDTH_MIN_PX = 48;

/** For pointers only: the page that keeps the widths has a way by keyboard, too. */
export function ResizeHandle({ onResize }: { onResize: (width: number) => void }) {
  const onPointerDown = (event: PointerEvent<HTMLSpanElement>) => {
    const handle = event.currentTarget;
    const cell = handle.parentElement;
    if (!cell || event.button !== 0) return;
    event.preventDefault();
    const left = cell.getBoundingClientRect().left;
    handle.setPointerCapture(event.pointerId);
    const move = (moved: globalThis.PointerEvent) => onResize(Math.max(WIDTH_MIN_PX, Math.round(moved.clientX - left)));
    const end = () => {
      handle.removeEventListener("pointermove", move);
      handle.removeEventListener("pointerup", end);
      handle.removeEventListener("pointercancel", end);
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", end);
    handle.addEventListener("pointercancel", end);
  };
  return <span className={styles.handle} aria-hidden="true" onPointerDown={onPointerDown} />;
}
