// When what happened to whom: lanes of entities above the list of steps.
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Incident, TimelineStep } from "@/api/types";
import { Button, Kbd, Panel, SeverityMark, Time } from "@/components";
import { count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { lanesOf, type Span } from "./lanes";
import { StepList } from "./StepList";
import { TimelineChart } from "./TimelineChart";
import styles from "./TimelinePanel.module.css";

export function TimelinePanel({ incident, steps, span, narrowed, chosen, who, onChoose, onWho, onSpan, className }: {
  incident: Incident;
  /** Those within span and filter. */
  steps: readonly TimelineStep[];
  span: Span;
  narrowed: boolean;
  chosen: TimelineStep | undefined;
  who: string | undefined;
  onChoose: (finding: string | undefined) => void;
  onWho: (key: string) => void;
  onSpan: (span: Span | undefined) => void;
  className: string | undefined;
}) {
  const { t } = useTranslation();
  const lanes = useMemo(() => lanesOf(incident.timeline, incident.principals), [incident]);
  const all = incident.timeline.length;
  return (
    <Panel
      className={className}
      title={t("incidents.timeline")}
      flush
      aside={
        <>
          <span role="status">
            {steps.length === all ? t("incidents.steps", { count: all }) : t("incidents.steps_of", { shown: count(steps.length), count: all })}
          </span>
          {narrowed ? (
            <Button kind="quiet" icon="close" onPress={() => onSpan(undefined)}>
              {t("incidents.whole_span")} <Kbd>{"\\"}</Kbd>
            </Button>
          ) : (
            <span className={styles.hint}>
              {t("incidents.brush_hint")} <Kbd>{"["}</Kbd> <Kbd>{"]"}</Kbd>
            </span>
          )}
        </>
      }
    >
      <TimelineChart lanes={lanes} shown={steps} span={span} chosen={chosen} who={who} onChoose={onChoose} onWho={onWho} onSpan={onSpan} />
      <StepList steps={steps} chosen={chosen} onChoose={onChoose} />
      <ol className={styles.printed}>
        {steps.map((step) => (
          <li key={step.finding}>
            <Time value={step.time_dt} /> <SeverityMark value={step.level} /> {oneLine(step.title)}
          </li>
        ))}
      </ol>
    </Panel>
  );
}
