// What stands where no pipe was asked yet: questions to begin with.
import { useTranslation } from "react-i18next";
import styles from "./PipeStart.module.css";

const EXAMPLES = [
  ["busy", "events\n| where time > ago(1d)\n| summarize count() by bin(time, 1h)\n| sort by time asc"],
  ["failed", 'events\n| where status == "Failure" and time > ago(1d)\n| summarize n = count(), users = dcount(actor_user_name) by src_ip\n| top 20 by n'],
  ["far", "events\n| where isnotempty(dst_ip) and time > ago(1d)\n| summarize n = count() by dst_ip\n| top 20 by n"],
  ["rules", "matches\n| summarize n = count() by rule\n| top 20 by n"],
] as const;

export function PipeStart({ onTry }: { onTry: (pipe: string) => void }) {
  const { t } = useTranslation();
  return (
    <div className={styles.start}>
      <h2>{t("search.pipe.start")}</h2>
      <p>{t("search.pipe.start_hint")}</p>
      <ul>
        {EXAMPLES.map(([name, pipe]) => (
          <li key={name}>
            <button type="button" onClick={() => onTry(pipe)}>
              <span>{t(`search.pipe.example.${name}`)}</span>
              <code>{pipe}</code>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
