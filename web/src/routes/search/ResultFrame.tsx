// The frame of what was found: a line that says how much it is and what it cost, and the rows below.
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components";
import styles from "./ResultFrame.module.css";
import { useElapsed } from "./useRun";

/** `titled` says that the label stands in it as a heading; else there is one for those who go by headings. */
export function ResultFrame({ label, busy, titled = false, children }: { label: string; busy?: boolean; titled?: boolean; children: ReactNode }) {
  return (
    <section className={styles.frame} aria-label={label} aria-busy={busy}>
      {!titled && <h2 className="visually-hidden">{label}</h2>}
      {children}
    </section>
  );
}

/** `said` is told when it changes; it is cut where there is no room unless it `wraps`. `tools` stand at its right. */
export function ResultHead({ said, tools, wraps = false }: { said: ReactNode; tools?: ReactNode; wraps?: boolean }) {
  return (
    <header className={styles.head} data-wraps={wraps || undefined}>
      <div className={styles.said} role="status">
        {said}
      </div>
      {tools}
    </header>
  );
}

/** What was found, and beside it what it cost. */
export function Amount({ children, cost }: { children: ReactNode; cost: ReactNode }) {
  return (
    <>
      <strong>{children}</strong>
      <Cost>{cost}</Cost>
    </>
  );
}

export function Cost({ children }: { children: ReactNode }) {
  return <span className={styles.cost}>{children}</span>;
}

/** How long it has been going on, and ways out; `more` stands there from so many seconds on. */
export function Running({ onStop, more }: { onStop: () => void; more?: { afterS: number; children: ReactNode } }) {
  const { t } = useTranslation();
  const seconds = useElapsed(true);
  return (
    <>
      <span className={styles.spinner} aria-hidden="true" />
      <Elapsed first={t("search.run.running")} then={t("search.run.running_for", { seconds })} seconds={seconds} />
      {seconds >= 2 && <Button onPress={onStop}>{t("search.run.stop")}</Button>}
      {more && seconds >= more.afterS && more.children}
    </>
  );
}

/** Words for what is under way: shown with the seconds, told without, or they would be told each second. */
export function Elapsed({ first, then, seconds }: { first: string; then: string; seconds: number }) {
  return (
    <>
      <span className="visually-hidden">{first}</span>
      <span aria-hidden="true">{seconds < 1 ? first : then}</span>
    </>
  );
}

/** The rows; those of an earlier question are faint. */
export function ResultRows({ stale, children }: { stale: boolean; children: ReactNode }) {
  return (
    <div className={styles.rows} data-stale={stale || undefined}>
      {children}
    </div>
  );
}
