// Says that a change was not made, and what somebody else did meanwhile.
import { useTranslation } from "react-i18next";
import { ErrorState, Meanwhile, Time } from "@/components";
import { useWord } from "@/i18n/words";
import { oneLine } from "@/lib/raw";
import styles from "./DecisionDialog.module.css";
import type { Refusal } from "./useDecide";

export function Conflict({ refusal, many }: { refusal: Refusal; many: boolean }) {
  const { t } = useTranslation();
  const word = useWord();
  const { theirs, target, error, owner } = refusal;
  if (owner !== undefined) return <Others id={target.id} owner={owner} />;
  if (!theirs) return <ErrorState error={error} />;
  const said = [word("incident_state", theirs.state), theirs.verdict ? word("incident_verdict", theirs.verdict) : t("incidents.no_verdict")];
  if (theirs.owner !== null) said.push(t("incidents.given", { user: oneLine(theirs.owner) }));
  return (
    <Meanwhile>
      <p className={styles.name}>{many ? t("incidents.conflict_of", { id: target.id }) : t("incidents.conflict")}</p>
      <p>
        {said.join(" · ")}
        {theirs.by !== null && (
          <span className="muted">
            {" – "}
            {oneLine(theirs.by)} <Time value={theirs.time_dt} />
          </span>
        )}
      </p>
      {theirs.reason && <p className={styles.quote}>{oneLine(theirs.reason)}</p>}
      <p className="muted">{t("incidents.conflict_hint")}</p>
    </Meanwhile>
  );
}

function Others({ id, owner }: { id: string; owner: string }) {
  const { t } = useTranslation();
  return (
    <Meanwhile>
      <p className={styles.name}>{`${id}: ${t("incidents.taken_by", { user: oneLine(owner) })}`}</p>
      <p className="muted">{t("incidents.taken_hint")}</p>
    </Meanwhile>
  );
}
