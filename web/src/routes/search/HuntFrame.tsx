// How a hunt stands on the page: what is asked for at the left, what was found at the right.
import type { ReactNode } from "react";
import styles from "./HuntFrame.module.css";

/** `ask` says how much room the left side takes: a list of words, a rule, or a rule beside the findings of its run. */
export function HuntFrame({ ask, children }: { ask: "words" | "rule" | "beside"; children: ReactNode }) {
  return (
    <div className={styles.tab} data-ask={ask}>
      {children}
    </div>
  );
}

export function HuntAsk({ label, children }: { label: string; children: ReactNode }) {
  return (
    <section className={styles.side} aria-label={label}>
      <h2 className="visually-hidden">{label}</h2>
      {children}
    </section>
  );
}

/** A row of controls. */
export function HuntRow({ children }: { children: ReactNode }) {
  return <div className={styles.row}>{children}</div>;
}
