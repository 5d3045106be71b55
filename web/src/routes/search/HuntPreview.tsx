// What pasted indicators are taken for, line by line, before anything is looked for.
import { useTranslation } from "react-i18next";
import { Icon } from "@/components";
import { count } from "@/lib/number";
import { cut, oneLine } from "@/lib/raw";
import type { Entry, IndicatorKind, RefusalReason } from "./indicators";
import styles from "./HuntPreview.module.css";

const SHOWN_MAX = 200;
const TEXT_CHARS_MAX = 120;

export function HuntPreview({ entries, blank }: { entries: readonly Entry[] | null; blank: boolean }) {
  const { t } = useTranslation();
  if (blank) return <p className={styles.note}>{t("search.hunt.help")}</p>;
  if (!entries) return <p className={styles.note}>{t("search.hunt.document")}</p>;
  const kinds = new Map<IndicatorKind, number>();
  for (const { kind } of entries) if (kind) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const refused = entries.filter((entry): entry is Entry & { refused: RefusalReason } => entry.refused !== undefined);
  return (
    <div className={styles.preview}>
      <ul className={styles.kinds} aria-label={t("search.hunt.kinds")}>
        {[...kinds].map(([kind, n]) => (
          <li key={kind}>
            {t(`search.hunt.kind.${kind}`)} <strong className="num">{count(n)}</strong>
          </li>
        ))}
        {refused.length > 0 && (
          <li className={styles.refused}>
            <Icon name="warning" size={14} />
            {t("search.hunt.refused", { count: refused.length, number: count(refused.length) })}
          </li>
        )}
      </ul>
      <ol className={styles.lines} aria-label={t("search.hunt.lines")}>
        {[...refused, ...entries.filter((entry) => entry.kind)].slice(0, SHOWN_MAX).map((entry, i) => (
          <li key={`${entry.line}/${i}`} data-refused={entry.refused !== undefined || undefined}>
            <span className={styles.number}>{entry.line}</span>
            <code className="clip" title={oneLine(cut(entry.text, TEXT_CHARS_MAX))}>
              {oneLine(cut(entry.text, TEXT_CHARS_MAX))}
            </code>
            <span className={styles.what}>{entry.kind ? t(`search.hunt.kind.${entry.kind}`) : t(`search.hunt.reason.${entry.refused ?? "unrecognised"}`)}</span>
          </li>
        ))}
      </ol>
      {entries.length > SHOWN_MAX && <p className={styles.note}>{t("search.hunt.more_lines", { count: entries.length - SHOWN_MAX, number: count(entries.length - SHOWN_MAX) })}</p>}
    </div>
  );
}
