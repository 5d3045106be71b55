// Why a finding matched: its entities and incidents, and every kept event with the fields that decided.
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Finding, FindingEvidence } from "@/api/types";
import { Icon, OutcomeMark, Pivot, Raw, Retrospective, SeverityMark, Time } from "@/components";
import { severityOf } from "@/i18n/words";
import { count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { marksOf } from "@/routes/incidents/evidence/marks";
import { entitiesOf, groupOf, isRetrospective, thingsOf } from "./finding";
import { RuleLink } from "./RuleLink";
import styles from "./Why.module.css";

export function Why({ finding, incidents }: { finding: Finding; incidents: string[] | undefined }) {
  const { t } = useTranslation();
  const info = finding.finding_info;
  const group = groupOf(finding);
  const things = thingsOf(finding);
  return (
    <div className={styles.why}>
      <p className={styles.line}>
        <SeverityMark value={severityOf(finding.severity_id)} />
        <OutcomeMark value={finding.unmapped.outcome} />
        {isRetrospective(finding) && <Retrospective />}
        <span className="num">
          <Time value={info.first_seen_time_dt} />
          {Date.parse(info.last_seen_time_dt) > Date.parse(info.first_seen_time_dt) && (
            <>
              {" – "}
              <Time value={info.last_seen_time_dt} form="clock" />
            </>
          )}
        </span>
        <span className="muted">{t("detections.matched", { count: finding.count, shown: count(finding.count) })}</span>
        <span className="muted">{oneLine(finding.metadata.tenant_uid)}</span>
        {info.analytic.version && (
          <span className="muted">
            {t("detections.rule_version")} <code>{oneLine(info.analytic.version)}</code>
          </span>
        )}
      </p>
      {incidents && (
        <p className={styles.line}>
          <span className="muted">{t("detections.in_incidents")}</span>
          {incidents.length === 0 && <span>{t("detections.no_incident")}</span>}
          {incidents.map((id) => (
            <Link key={id} to="/incidents/$id" params={{ id }} search={{ of: finding.metadata.tenant_uid, step: info.uid }}>
              {id}
            </Link>
          ))}
        </p>
      )}
      <p className={styles.line}>
        {entitiesOf(finding).map((one) => (
          <Pivot key={`${one.kind}/${one.value}`} value={one.value} kind={one.kind} />
        ))}
        {things.map((one) => (
          <Pivot key={`${one.name}/${one.value}`} value={one.value} />
        ))}
      </p>
      {group && (
        <p className={styles.line}>
          <span className="muted">{t("detections.grouped_by")}</span>
          <Raw text={group} inline />
        </p>
      )}
      <ol className={styles.events}>
        {finding.evidences.map((one, i) => (
          <Evidence key={`${one.uid}/${i}`} evidence={one} base={one.data.rule === info.analytic.uid ? undefined : one.data.rule} />
        ))}
      </ol>
      {finding.evidences.length < finding.count && (
        <p className={styles.kept}>{t("detections.kept", { shown: count(finding.evidences.length), all: count(finding.count) })}</p>
      )}
    </div>
  );
}

/** `base` is the rule that saw the event, where the finding is that of a correlation over it. */
function Evidence({ evidence, base }: { evidence: FindingEvidence; base: string | undefined }) {
  const { t } = useTranslation();
  const { data, raw_data: raw } = evidence;
  const fields = useMemo(() => Object.entries(data.fields), [data.fields]);
  const marks = useMemo(() => marksOf(raw, data.fields), [raw, data.fields]);
  return (
    <li className={styles.event}>
      <p className={styles.eventHead}>
        <Time value={data.time_dt} form="full" />
        <span>{oneLine(data.source)}</span>
        <span className="muted">{oneLine(data.feed)}</span>
        {base && (
          <span className={styles.base}>
            <RuleLink id={base} />
          </span>
        )}
        <Link to="/search" search={{ event: evidence.uid }} className={styles.open}>
          {t("detections.open_event")}
          <Icon name="right" size={12} />
        </Link>
      </p>
      {fields.length > 0 ? <Fields name={t("detections.fields")} fields={fields} /> : <p className={styles.none}>{t("detections.no_fields")}</p>}
      <Raw text={raw} marks={marks} />
    </li>
  );
}

function Fields({ name, fields }: { name: string; fields: [string, string][] }) {
  return (
    <dl className={styles.fields} aria-label={name}>
      {fields.map(([field, value]) => (
        <div key={field}>
          <dt>{oneLine(field)}</dt>
          <dd>
            <Raw text={value} inline />
          </dd>
        </div>
      ))}
    </dl>
  );
}
