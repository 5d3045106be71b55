// A short list of incidents, each a link.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { IncidentSummary } from "@/api/types";
import { Age, Empty, SeverityMark } from "@/components";
import { useLocalText, useWord } from "@/i18n/words";
import { oneLine } from "@/lib/raw";
import styles from "./IncidentList.module.css";
import { keyOf } from "./queue";

export function IncidentList({ incidents, tenants = false }: {
  incidents: readonly IncidentSummary[];
  /** Says whose each is. */
  tenants?: boolean;
}) {
  const { t } = useTranslation();
  const word = useWord();
  const local = useLocalText();
  if (incidents.length === 0) return <Empty reason="data" />;
  return (
    <ul>
      {incidents.map((one) => (
        <li key={keyOf(one)} className={styles.row}>
          <SeverityMark value={one.severity} bare />
          <div className={styles.text}>
            <Link to="/incidents/$id" params={{ id: one.id }} search={{ of: one.tenant }}>
              <bdi>{oneLine(local(one.title, one.title_ja))}</bdi>
            </Link>
            <p className={styles.about}>
              <span className="mono">{one.id}</span>
              {tenants && <span>{oneLine(one.tenant)}</span>}
              <span>{one.merged_into ? t("incidents.merged_into", { id: one.merged_into }) : word("incident_state", one.state)}</span>
              {one.verdict && <span>{word("incident_verdict", one.verdict)}</span>}
              <Age value={one.last_time_dt} />
            </p>
          </div>
        </li>
      ))}
    </ul>
  );
}
