// What happened in sentences, and the techniques that were used.
import { useTranslation } from "react-i18next";
import type { Incident } from "@/api/types";
import { Panel, Time } from "@/components";
import { useLocalText } from "@/i18n/words";
import { oneLine } from "@/lib/raw";
import { techniquesOf } from "./caseText";
import { storyOf } from "./story";
import styles from "./SummaryPanel.module.css";

export function SummaryPanel({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const local = useLocalText();
  const story = storyOf(local(incident.desc, incident.desc_ja));
  const techniques = techniquesOf(incident);
  const { reason } = incident.decision;
  return (
    <Panel title={t("incidents.summary")}>
      <div className={styles.summary}>
        <p>{oneLine(story.lead)}</p>
        {story.steps.length > 0 && (
          <ol className={styles.steps}>
            {story.steps.map((step, i) => (
              <li key={i}>
                <Time value={step.timeMs} form="clock" />
                <span>{oneLine(step.text)}</span>
              </li>
            ))}
          </ol>
        )}
        {story.end && <p>{oneLine(story.end)}</p>}
        {techniques.length > 0 && (
          <ul className={styles.techniques} aria-label={t("incidents.techniques")}>
            {techniques.map((id) => (
              <li key={id}>{id}</li>
            ))}
          </ul>
        )}
        {reason && (
          <p className={styles.reason}>
            <span className="muted">{t("incidents.reason")}: </span>
            {oneLine(reason)}
          </p>
        )}
      </div>
    </Panel>
  );
}
