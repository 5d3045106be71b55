// What stands where data is loading, missing, refused or old.
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiProblem } from "@/api/problem";
import { useSettings } from "@/lib/settings";
import { timeText } from "@/lib/time";
import { Button } from "./Button";
import { Icon } from "./Icon";
import styles from "./States.module.css";

const SKELETON_AFTER_MS = 200;
const SLOW_AFTER_MS = 2_000;

/** Nothing for 200 ms, then grey bars of true height; after 2 s the time so far and a way out. */
export function Skeleton({ rows = 6, rowHeight = 28, onCancel, silent = false }: {
  rows?: number;
  rowHeight?: number;
  onCancel?: () => void;
  /** One of many on a page, of which screen readers need not hear. */
  silent?: boolean;
}) {
  const { t } = useTranslation();
  const [ms, setMs] = useState(0);
  useEffect(() => {
    const from = Date.now();
    const first = setTimeout(() => setMs(SKELETON_AFTER_MS), SKELETON_AFTER_MS);
    const timer = setInterval(() => setMs(Date.now() - from), 1_000);
    return () => {
      clearTimeout(first);
      clearInterval(timer);
    };
  }, []);
  if (ms < SKELETON_AFTER_MS) return <div style={{ height: rows * rowHeight }} aria-hidden="true" />;
  return (
    <div className={styles.skeleton} {...(silent ? { "aria-hidden": true } : { role: "status" })}>
      <span className="visually-hidden">{t("state.loading")}</span>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className={styles.bar} style={{ height: rowHeight }}>
          <span style={{ width: `${72 - ((i * 17) % 40)}%` }} />
        </div>
      ))}
      {ms >= SLOW_AFTER_MS && (
        <div className={styles.slow}>
          {/* Not told: it changes each second. */}
          <span aria-hidden="true">{t("state.slow", { seconds: Math.floor(ms / 1_000) })}</span>
          {onCancel && <Button onPress={onCancel}>{t("state.cancel")}</Button>}
        </div>
      )}
    </div>
  );
}

/** Why there is nothing: no match, no data, or no permission. */
export function Empty({ reason, children }: { reason: "match" | "data" | "permission"; children?: ReactNode }) {
  const { t } = useTranslation();
  return (
    <div className={styles.empty} role="status">
      <p>{t(`state.empty_${reason}`)}</p>
      {children}
    </div>
  );
}

/** An error with its code and a retry; compact above data that was kept (`asOfMs`). */
export function ErrorState({ error, onRetry, asOfMs, said }: {
  error: Error;
  onRetry?: () => void;
  asOfMs?: number;
  /** What failed, where it is not loading. */
  said?: string;
}) {
  const { t } = useTranslation();
  const { zone } = useSettings();
  const code = error instanceof ApiProblem ? error.code : error.name;
  const detail = error instanceof ApiProblem && error.unreachable ? t("state.unreachable") : error.message;
  const what = said ?? (asOfMs ? t("state.error_kept", { time: timeText(asOfMs, zone, "clock") }) : t("state.error"));
  return (
    <div className={asOfMs ? styles.errorKept : styles.error} role="alert">
      <Icon name="warning" />
      <div>
        <p>{what}</p>
        {detail && <p className="muted">{detail}</p>}
        <p className={styles.code}>
          {t("state.code")} <code>{code}</code>
        </p>
      </div>
      {onRetry && (
        <Button icon="refresh" onPress={onRetry}>
          {t("state.retry")}
        </Button>
      )}
    </div>
  );
}

/** The parts of a query that decide what is shown. */
export interface QueryLike<T> {
  data: T | undefined;
  error: Error | null;
  dataUpdatedAt: number;
  refetch: () => unknown;
}

/** Shows a query's data; skeleton before, error instead, and old data greyed below an error. */
export function Loaded<T>({ query, children, rows, onCancel }: {
  query: QueryLike<T>;
  children: (data: T) => ReactNode;
  rows?: number;
  onCancel?: () => void;
}) {
  const retry = () => void query.refetch();
  if (query.data === undefined) {
    if (query.error) return <ErrorState error={query.error} onRetry={retry} />;
    return <Skeleton {...(rows !== undefined && { rows })} {...(onCancel && { onCancel })} />;
  }
  return (
    <>
      {query.error && <ErrorState error={query.error} onRetry={retry} asOfMs={query.dataUpdatedAt} />}
      <div className={query.error ? styles.stale : styles.fresh}>{children(query.data)}</div>
    </>
  );
}
