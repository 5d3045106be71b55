// The head of an incident: what it is called, how bad it is, who has it, what comes next.
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Incident } from "@/api/types";
import { Age, Button, Changing, CopyButton, OutcomeMark, SeverityMark, Time } from "@/components";
import { severityOf, useLocalText, useWord } from "@/i18n/words";
import { oneLine } from "@/lib/raw";
import { spanText } from "@/lib/time";
import styles from "./IncidentHeader.module.css";
import { heldOf, isOthers, isTaken } from "./decision/held";
import { useMe } from "./decision/useMe";
import { NextStep } from "./NextStep";

const COPY_ID = "incident-copy";

/** Copies the case as its button does, with the button's own confirmation. */
export function copyCase(): void {
  document.querySelector<HTMLElement>(`#${COPY_ID} button`)?.click();
}

export function IncidentHeader({ incident, caseText, onTake, onGive, onDecide }: {
  incident: Incident;
  caseText: string;
  onTake: () => void;
  onGive: () => void;
  onDecide: () => void;
}) {
  const { t } = useTranslation();
  const local = useLocalText();
  const { decision, merged_into } = incident;
  const title = oneLine(local(incident.title, incident.title_ja));
  const me = useMe();
  const held = heldOf(incident);
  const taken = isOthers(held, me) || isTaken(held, me) ? oneLine(decision.owner ?? "") : "";
  return (
    <header className={styles.head}>
      <div className={styles.line}>
        <span className={styles.name}>
          <SeverityMark value={severityOf(incident.severity_id)} />
          <span className="mono">{incident.metadata.uid}</span>
        </span>
        <p className={styles.title} title={title}>
          <bdi>{title}</bdi>
        </p>
        <div className={styles.actions}>
          <Button
            kind={decision.state === "new" ? "primary" : "plain"}
            onPress={onTake}
            isDisabled={Boolean(merged_into || taken)}
            hint={taken ? t("incidents.taken_by", { user: taken }) : t("incidents.take_hint")}
          >
            {t("incidents.take")}
          </Button>
          <Button kind={decision.state === "new" ? "plain" : "primary"} onPress={onDecide} hint={t("incidents.decide_hint")}>
            {t("incidents.decide")}
          </Button>
          <span id={COPY_ID}>
            <CopyButton text={caseText} label={t("incidents.copy_case")} />
          </span>
          <Button kind="quiet" icon="print" hint={t("incidents.print")} onPress={() => window.print()} />
        </div>
      </div>
      <div className={styles.line}>
        <Facts incident={incident} onGive={onGive} />
        <NextStep
          incident={{
            state: decision.state,
            verdict: decision.verdict,
            outcome: incident.outcome,
            merged_into: merged_into ?? null,
            principals: incident.principals,
          }}
        />
      </div>
    </header>
  );
}

function Facts({ incident, onGive }: { incident: Incident; onGive: () => void }) {
  const { t } = useTranslation();
  const word = useWord();
  const { decision } = incident;
  const owner = decision.owner === null ? t("incidents.nobody") : oneLine(decision.owner);
  const lasted = Date.parse(incident.end_time_dt) - Date.parse(incident.start_time_dt);
  return (
    <dl className={styles.facts}>
      <Fact name={t("outcome.label")}>
        <OutcomeMark value={incident.outcome} />
      </Fact>
      <Fact name={t("incidents.state")}>
        <Changing value={decision.state}>
          {incident.merged_into ? t("incidents.merged_into", { id: incident.merged_into }) : word("incident_state", decision.state)}
        </Changing>
      </Fact>
      <Fact name={t("incidents.verdict")}>
        <Changing value={decision.verdict}>{decision.verdict ? word("incident_verdict", decision.verdict) : t("incidents.no_verdict")}</Changing>
      </Fact>
      <Fact name={t("incidents.owner")}>
        <button type="button" className={styles.owner} title={t("incidents.give_hint")} aria-label={t("incidents.owner_change", { user: owner })} onClick={onGive}>
          <Changing value={decision.owner}>
            <bdi>{owner}</bdi>
          </Changing>
        </button>
      </Fact>
      <Fact name={t("incidents.began")}>
        <Time value={incident.start_time_dt} />
      </Fact>
      <Fact name={t("incidents.lasted")}>{spanText(lasted)}</Fact>
      <Fact name={t("incidents.opened")}>
        <Age value={incident.opened_time_dt} />
      </Fact>
      <Fact name={t("tenant.label")}>{oneLine(incident.metadata.tenant_uid)}</Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
