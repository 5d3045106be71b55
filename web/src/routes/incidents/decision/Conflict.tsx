// Says that a decision was not taken, and what somebody else decided meanwhile.
import { useTranslation } from "react-i18next";
import { ErrorState, Icon, Time } from "@/components";
import { useWord } from "@/i18n/words";
import { oneLine } from "@/lib/raw";
import styles from "./DecisionDialog.module.css";
import type { Refusal } from "./useDecide";

export function Conflict({ refusal, many }: { refusal: Refusal; many: boolean }) {
  const { t } = useTranslation();
  const word = useWord();
  const { theirs, target, error } = refusal;
  if (!theirs) return <ErrorState error={error} />;
  const said = [word("incident_state", theirs.state), theirs.verdict ? word("incident_verdict", theirs.verdict) : t("incidents.no_verdict")];
  return (
    <div className={styles.conflict} role="alert">
      <Icon name="warning" />
      <div>
        <p className={styles.name}>{many ? t("incidents.conflict_of", { id: target.id }) : t("incidents.conflict")}</p>
        <p>
          {said.join(" · ")}
          <span className="muted">
            {" – "}
            {oneLine(theirs.by ?? "")} <Time value={theirs.time_dt} />
          </span>
        </p>
        {theirs.reason && <p className={styles.quote}>{oneLine(theirs.reason)}</p>}
        <p className="muted">{t("incidents.conflict_hint")}</p>
      </div>
    </div>
  );
}
