// The records that prove an incident, down to the raw line, for the chosen step or all shown ones.
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Incident, IncidentEvidence, TimelineStep } from "@/api/types";
import { Button, CopyButton, Empty, Panel, Pivot, Raw, SeverityMark, Time } from "@/components";
import { count } from "@/lib/number";
import { term } from "@/lib/query-text";
import { oneLine } from "@/lib/raw";
import { NotInForce, useRuleTitles } from "@/routes/detections/RuleLink";
import styles from "./EvidencePanel.module.css";
import { marksOf } from "./marks";

/** Records drawn at first, and more at each press. */
const PAGE = 25;

export function EvidencePanel({ incident, steps, chosen, onChoose, className }: {
  incident: Incident;
  /** Those within span and filter. */
  steps: readonly TimelineStep[];
  chosen: TimelineStep | undefined;
  onChoose: (finding: string | undefined) => void;
  className: string | undefined;
}) {
  const { t } = useTranslation();
  const records = useMemo(() => {
    const wanted = new Set(chosen ? [chosen.finding] : steps.map((step) => step.finding));
    return incident.evidences.filter((one) => one.data.findings.some((finding) => wanted.has(finding)));
  }, [incident, steps, chosen]);
  const [pages, setPages] = useState<{ of: unknown; n: number }>({ of: records, n: 1 });
  const shown = records.slice(0, (pages.of === records ? pages.n : 1) * PAGE);
  return (
    <Panel
      className={className}
      title={<span id="evidence">{t("incidents.evidence")}</span>}
      flush
      aside={
        <span role="status">
          {t("incidents.records_of", { shown: count(records.length), count: incident.evidences.length })}
        </span>
      }
    >
      {chosen && <Chosen step={chosen} onAll={() => onChoose(undefined)} />}
      {records.length === 0 && <Empty reason={incident.evidences.length === 0 ? "data" : "match"}>{chosen && <p>{t("incidents.no_records")}</p>}</Empty>}
      <ol aria-label={t("incidents.evidence")}>
        {shown.map((record) => (
          <Record key={record.uid} record={record} incident={incident} chosen={chosen?.finding} onChoose={onChoose} />
        ))}
      </ol>
      {shown.length < records.length && (
        <div className={styles.more}>
          <Button onPress={() => setPages({ of: records, n: shown.length / PAGE + 1 })}>
            {t("incidents.more_records", { count: records.length - shown.length })}
          </Button>
        </div>
      )}
    </Panel>
  );
}

function Chosen({ step, onAll }: { step: TimelineStep; onAll: () => void }) {
  const { t } = useTranslation();
  const rules = useRuleTitles();
  return (
    <div className={styles.chosen}>
      <SeverityMark value={step.level} bare />
      <span className={styles.title}>
        <bdi>{oneLine(step.title)}</bdi>
      </span>
      {rules?.has(step.rule) && (
        <Link to="/detections/$id" params={{ id: step.rule }} search={{ finding: step.finding }}>
          {t("incidents.open_finding")}
        </Link>
      )}
      {rules && !rules.has(step.rule) && <NotInForce id={step.rule} />}
      <span className={styles.space} />
      <Button kind="quiet" icon="close" onPress={onAll}>
        {t("incidents.all_records")}
      </Button>
    </div>
  );
}

function Record({ record, incident, chosen, onChoose }: {
  record: IncidentEvidence;
  incident: Incident;
  chosen: string | undefined;
  onChoose: (finding: string | undefined) => void;
}) {
  const { t } = useTranslation();
  const { data, raw_data, uid } = record;
  const marks = useMemo(() => marksOf(raw_data, data.fields), [raw_data, data.fields]);
  const steps = incident.timeline.filter((step) => data.findings.includes(step.finding));
  return (
    <li className={styles.record}>
      <div className={styles.head}>
        <Time value={data.time_dt} form="full" />
        <Pivot value={data.source} field="source" />
        <Pivot value={data.feed} field="feed" />
        {steps.map((step) => (
          <button
            key={step.finding}
            type="button"
            className={styles.step}
            aria-pressed={step.finding === chosen}
            title={oneLine(step.title)}
            onClick={() => onChoose(step.finding === chosen ? undefined : step.finding)}
          >
            <SeverityMark value={step.level} bare />
            <bdi className="clip">{oneLine(step.title)}</bdi>
          </button>
        ))}
        <span className={styles.space} />
        <Link to="/search" search={{ q: term("id", uid), event: uid }}>
          {t("incidents.open_event")}
        </Link>
        <CopyButton text={raw_data} label={t("incidents.copy_record")} />
      </div>
      {raw_data ? <Raw text={raw_data} marks={marks} /> : <p className="muted">{t("incidents.raw_left_out")}</p>}
      <dl className={styles.fields}>
        {Object.entries(data.fields).map(([field, value]) => (
          <div key={field}>
            <dt>{oneLine(field)}</dt>
            <dd>
              <Pivot value={value} />
            </dd>
          </div>
        ))}
      </dl>
    </li>
  );
}
