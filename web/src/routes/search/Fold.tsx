// A list below what was found that one opens to read: what it is and how many, and its entries.
import type { ReactNode } from "react";
import styles from "./Fold.module.css";

export function Fold({ summary, tone, children }: { summary: string; tone?: "warn"; children: ReactNode }) {
  return (
    <details className={styles.fold} data-tone={tone}>
      <summary>{summary}</summary>
      <div>{children}</div>
    </details>
  );
}
