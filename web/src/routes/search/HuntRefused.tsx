// Which entries of the lists the server refused, each with its line and the reason.
import { useTranslation } from "react-i18next";
import type { HuntRefusal } from "@/api/types";
import { count as number } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { Fold } from "./Fold";
import styles from "./HuntRefused.module.css";
import type { RefusalReason } from "./indicators";

export function HuntRefused({ refused, count }: {
  refused: readonly HuntRefusal[];
  /** How many there are; `refused` has the first of them. */
  count: number;
}) {
  const { t } = useTranslation();
  if (count === 0) return null;
  const more = count - refused.length;
  return (
    <Fold summary={t("search.hunt.refused_list", { count, number: number(count) })} tone="warn">
      <ol className={styles.refused}>
        {refused.map((one, i) => (
          <li key={i}>
            <span className={styles.line}>{one.line === null ? "" : t("search.hunt.refused_line", { line: number(one.line) })}</span>
            <code className="clip" title={oneLine(one.entry)}>
              <bdi>{oneLine(one.entry)}</bdi>
            </code>
            <span className={styles.why}>{t(`search.hunt.reason.${one.code as RefusalReason}`, { defaultValue: one.reason })}</span>
          </li>
        ))}
        {more > 0 && <li className="muted">{t("search.hunt.refused_more", { count: more, number: number(more) })}</li>}
      </ol>
    </Fold>
  );
}
