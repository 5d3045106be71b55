// What is wrong with a query, drawn under the place.
import { useTranslation } from "react-i18next";
import type { ApiProblem } from "@/api/problem";
import { Icon } from "@/components";
import { oneLine } from "@/lib/raw";
import styles from "./QueryFault.module.css";

const AROUND_CHARS = 60;

/** `shift` is how far what was written moved in the query that was sent. */
export function QueryFault({ problem, written, shift = 0 }: { problem: ApiProblem; written: string; shift?: number }) {
  const { t } = useTranslation();
  const at = problem.position;
  if (!at) return null;
  const start = Math.max(0, Math.min(written.length, at.start - shift));
  const end = Math.max(start, Math.min(written.length, at.end - shift));
  const from = Math.max(0, start - AROUND_CHARS);
  const until = Math.min(written.length, end + AROUND_CHARS);
  const message = (at as { message?: string }).message ?? problem.detail;
  return (
    <div className={styles.fault} role="alert">
      <Icon name="warning" />
      <div>
        <p>{message}</p>
        <code className={styles.place}>
          {from > 0 && "…"}
          {oneLine(written.slice(from, start))}
          <mark>{oneLine(written.slice(start, end)) || " "}</mark>
          {oneLine(written.slice(end, until))}
          {until < written.length && "…"}
        </code>
        {at.help && <p className="muted">{at.help}</p>}
        <p className={styles.code}>
          {t("state.code")} <code>{problem.code}</code>
        </p>
      </div>
    </div>
  );
}
