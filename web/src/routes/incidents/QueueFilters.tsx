// The queue's filters: state, severity, owner and words, each with what it would leave.
import { useTranslation } from "react-i18next";
import type { IncidentSummary, Severity } from "@/api/types";
import { SearchField, SeverityMark } from "@/components";
import { useWord } from "@/i18n/words";
import { count } from "@/lib/number";
import { countsByOwner, countsBySeverity, countsByState, OWNER_FILTERS, type QueueFilter, SEVERITIES, STATE_FILTERS, type StateFilter } from "./queue";
import styles from "./QueueFilters.module.css";
import type { IncidentsSearch } from "./route";

export function QueueFilters({ all, filter, complete, onChange }: {
  all: readonly IncidentSummary[];
  filter: QueueFilter;
  /** Whether `all` is all there is. */
  complete: boolean;
  onChange: (part: IncidentsSearch) => void;
}) {
  const { t } = useTranslation();
  const word = useWord();
  const states = countsByState(all, filter);
  const severities = countsBySeverity(all, filter);
  const owners = countsByOwner(all, filter);
  const known = (state: StateFilter) => complete && (filter.state === "all" || filter.state === "done" || (state !== "done" && state !== "all"));
  const toggle = (severity: Severity) => {
    const chosen = SEVERITIES.filter((one) => (one === severity) !== filter.severities.includes(one));
    onChange({ severity: chosen.length > 0 && chosen.length < SEVERITIES.length ? chosen.join(",") : undefined });
  };
  return (
    <div className={styles.bar} role="search" aria-label={t("incidents.filters")}>
      <div className={styles.group} role="group" aria-label={t("incidents.state")}>
        {STATE_FILTERS.map((state) => (
          <button
            key={state}
            type="button"
            className={styles.choice}
            aria-pressed={filter.state === state}
            onClick={() => onChange({ state: state === "open" ? undefined : state })}
          >
            {state === "open" || state === "done" || state === "all" ? t(`incidents.filter_${state}`) : word("incident_state", state)}
            {known(state) && <span className={styles.count}>{count(states[state])}</span>}
          </button>
        ))}
      </div>
      <div className={styles.group} role="group" aria-label={t("severity.label")}>
        {SEVERITIES.map((severity) => (
          <button
            key={severity}
            type="button"
            className={styles.choice}
            aria-pressed={filter.severities.includes(severity)}
            onClick={() => toggle(severity)}
          >
            <SeverityMark value={severity} bare />
            <span className={styles.count}>{count(severities[severity])}</span>
          </button>
        ))}
      </div>
      <div className={styles.group} role="group" aria-label={t("incidents.owner")}>
        {OWNER_FILTERS.map((owner) => (
          <button
            key={owner}
            type="button"
            className={styles.choice}
            aria-pressed={filter.owner === owner}
            onClick={() => onChange({ owner: filter.owner === owner ? undefined : owner })}
          >
            {t(`incidents.filter_${owner}`)}
            <span className={styles.count}>{count(owners[owner])}</span>
          </button>
        ))}
      </div>
      <div className={styles.words}>
        <SearchField
          label={t("incidents.filter_words")}
          value={filter.text}
          live
          filter
          onSubmit={(text) => onChange({ filter: text || undefined })}
        />
      </div>
    </div>
  );
}
