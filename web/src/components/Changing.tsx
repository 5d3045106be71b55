// Tints its content for a moment when its value changes.
import { type ReactNode, useEffect, useRef } from "react";
import styles from "./Changing.module.css";

export function Changing({ value, children }: { value: unknown; children: ReactNode }) {
  const element = useRef<HTMLSpanElement>(null);
  const before = useRef(value);
  useEffect(() => {
    const target = element.current;
    if (before.current === value || !target) return;
    before.current = value;
    target.classList.remove(styles.changed ?? "");
    void target.offsetWidth;
    target.classList.add(styles.changed ?? "");
  }, [value]);
  return (
    <span ref={element} className={styles.value}>
      {children}
    </span>
  );
}
