// A titled part of a page.
import { type ReactNode, useId } from "react";
import styles from "./Panel.module.css";

export function Panel({ title, aside, children, flush = false, className }: {
  title?: ReactNode;
  /** Shown at the right of the title. */
  aside?: ReactNode;
  children: ReactNode;
  /** Without padding, for tables. */
  flush?: boolean;
  className?: string | undefined;
}) {
  const id = useId();
  return (
    <section className={[styles.panel, className].join(" ")} aria-labelledby={title ? id : undefined}>
      {title && (
        <header className={styles.head}>
          <h2 id={id} className={styles.title}>
            {title}
          </h2>
          {aside && <div className={styles.aside}>{aside}</div>}
        </header>
      )}
      <div className={flush ? styles.flush : styles.body}>{children}</div>
    </section>
  );
}
