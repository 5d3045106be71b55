// Who decided what of an incident and gave it to whom, and when.
import { useTranslation } from "react-i18next";
import type { Decision } from "@/api/types";
import { Loaded, Panel, Time } from "@/components";
import type { QueryLike } from "@/components/States";
import { useWord } from "@/i18n/words";
import { oneLine } from "@/lib/raw";
import { changesOf } from "./changes";
import styles from "./Notes.module.css";

export function History({ query }: { query: QueryLike<{ items: Decision[] }> }) {
  const { t } = useTranslation();
  const word = useWord();
  return (
    <Panel title={t("incidents.history")}>
      <Loaded query={query} rows={2}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="muted">{t("incidents.history_none")}</p>
          ) : (
            <ol className={styles.list}>
              {changesOf(items).map(({ decision: one, decided, given }) => (
                <li key={one.version}>
                  <p className={styles.by}>
                    <span className={styles.who}>{oneLine(one.by ?? "")}</span>
                    <Time value={one.time_dt} />
                  </p>
                  {decided && (
                    <p>
                      {word("incident_state", one.state)}
                      {one.verdict && ` · ${word("incident_verdict", one.verdict)}`}
                    </p>
                  )}
                  {given && <p>{one.owner === null ? t("incidents.given_nobody") : t("incidents.given", { user: oneLine(one.owner) })}</p>}
                  {one.reason && <p className={styles.text}>{one.reason.split("\n").map(oneLine).join("\n")}</p>}
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
    </Panel>
  );
}
