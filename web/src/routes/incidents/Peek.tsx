// The preview beside the queue: what happened, who is in it, what to do, and keys to decide.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { incidentQuery } from "@/api/queries";
import type { Incident, IncidentSummary, IncidentVerdict } from "@/api/types";
import { Age, Kbd, Loaded, OutcomeMark, SeverityMark, SidePanel, Time, VerdictMark } from "@/components";
import { useLocalText, useTacticName, useWord } from "@/i18n/words";
import { count, percent } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { VERDICTS } from "./decision/verdicts";
import { NextStep } from "./NextStep";
import styles from "./Peek.module.css";
import { storyOf } from "./story";

/** Steps shown; the rest is counted. */
const STEPS_MAX = 6;

export function Peek({ incident, onClose, onPropose, onTake, onGive }: {
  incident: IncidentSummary;
  onClose: () => void;
  onPropose: (verdict: IncidentVerdict) => void;
  onTake: () => void;
  onGive: () => void;
}) {
  const { t } = useTranslation();
  const local = useLocalText();
  const query = useQuery(incidentQuery(incident.id, incident.tenant));
  return (
    <SidePanel
      className={styles.peek}
      label={t("incidents.preview", { id: incident.id })}
      head={
        <>
          <SeverityMark value={incident.severity} />
          <span className="mono">{incident.id}</span>
        </>
      }
      tools={
        <Link className={styles.open} to="/incidents/$id" params={{ id: incident.id }} search={{ of: incident.tenant }}>
          {t("incidents.open")} <Kbd>Enter</Kbd>
        </Link>
      }
      onClose={onClose}
    >
      <div className={styles.body}>
        <h2 className={styles.title}>{oneLine(local(incident.title, incident.title_ja))}</h2>
        <Facts incident={incident} />
        <NextStep incident={incident} />
        <Tactics names={incident.tactics} />
        <Loaded query={query} rows={9}>
          {({ data }) => <Story incident={data} />}
        </Loaded>
      </div>
      <Decide onPropose={onPropose} onTake={onTake} onGive={onGive} />
    </SidePanel>
  );
}

function Facts({ incident }: { incident: IncidentSummary }) {
  const { t } = useTranslation();
  const word = useWord();
  return (
    <dl className={styles.facts}>
      <div>
        <dt>{t("outcome.label")}</dt>
        <dd>
          <OutcomeMark value={incident.outcome} />
        </dd>
      </div>
      <div>
        <dt>{t("incidents.state")}</dt>
        <dd>{incident.merged_into ? t("incidents.merged_into", { id: incident.merged_into }) : word("incident_state", incident.state)}</dd>
      </div>
      <div>
        <dt>{t("incidents.verdict")}</dt>
        <dd>{incident.verdict ? word("incident_verdict", incident.verdict) : "–"}</dd>
      </div>
      <div>
        <dt>{t("incidents.owner")}</dt>
        <dd>{incident.owner === null ? t("incidents.nobody") : <bdi>{oneLine(incident.owner)}</bdi>}</dd>
      </div>
      <div>
        <dt>{t("incidents.findings")}</dt>
        <dd className="num">{count(incident.findings)}</dd>
      </div>
      <div>
        <dt>{t("incidents.last")}</dt>
        <dd>
          <Age value={incident.last_time_dt} />
        </dd>
      </div>
    </dl>
  );
}

function Tactics({ names }: { names: readonly string[] }) {
  const { t } = useTranslation();
  const tactic = useTacticName();
  return (
    <ol className={styles.tactics} aria-label={t("incidents.tactics")}>
      {names.map((name) => (
        <li key={name}>{tactic(name)}</li>
      ))}
    </ol>
  );
}

function Story({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const word = useWord();
  const local = useLocalText();
  const story = storyOf(local(incident.desc, incident.desc_ja));
  const rest = incident.timeline.length - STEPS_MAX;
  return (
    <>
      <p className={styles.story}>{oneLine([story.lead, story.end].join(" ").trim())}</p>
      <h3 className={styles.part}>{t("incidents.principals")}</h3>
      <ul className={styles.rows}>
        {incident.principals.slice(0, 6).map((one) => (
          <li key={`${one.type}/${one.value}`}>
            <VerdictMark value={one.verdict} bare />
            <Link to="/entities/$kind/$value" params={{ kind: one.type, value: one.value }} search={{ of: incident.metadata.tenant_uid }}>
              <bdi>{oneLine(one.value)}</bdi>
            </Link>
            <span className="muted">{word("role", one.role)}</span>
            <span className={styles.figure}>{percent(one.probability)}</span>
          </li>
        ))}
      </ul>
      <h3 className={styles.part}>{t("incidents.timeline")}</h3>
      <ul className={styles.rows}>
        {incident.timeline.slice(0, STEPS_MAX).map((step) => (
          <li key={step.finding}>
            <SeverityMark value={step.level} bare />
            <span className="clip">{oneLine(step.title)}</span>
            <span className={styles.figure}>
              <Time value={step.time_dt} form="clock" />
            </span>
          </li>
        ))}
        {rest > 0 && <li className="muted">{t("incidents.more_steps", { count: rest })}</li>}
      </ul>
    </>
  );
}

function Decide({ onPropose, onTake, onGive }: { onPropose: (verdict: IncidentVerdict) => void; onTake: () => void; onGive: () => void }) {
  const { t } = useTranslation();
  const word = useWord();
  return (
    <footer className={styles.decide} role="group" aria-label={t("incidents.decide")}>
      <button type="button" className={styles.key} onClick={onTake} aria-keyshortcuts="a">
        <Kbd>a</Kbd>
        <span className="clip">{t("incidents.take")}</span>
      </button>
      <button type="button" className={styles.key} onClick={onGive} aria-keyshortcuts="o" title={t("incidents.give_hint")}>
        <Kbd>o</Kbd>
        <span className="clip">{t("incidents.give")}</span>
      </button>
      {VERDICTS.map((verdict, i) => (
        <button key={verdict} type="button" className={styles.key} onClick={() => onPropose(verdict)} aria-keyshortcuts={String(i + 1)}>
          <Kbd>{String(i + 1)}</Kbd>
          <span className="clip">{word("incident_verdict", verdict)}</span>
        </button>
      ))}
    </footer>
  );
}
