// The steps of an incident as a table: the readable form of the lanes above it.
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { TimelineStep } from "@/api/types";
import { type Column, DataTable, Empty, OutcomeMark, SeverityMark, Time } from "@/components";
import { useTacticName } from "@/i18n/words";
import { count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { useSettings } from "@/lib/settings";
import { timeText } from "@/lib/time";
import styles from "./TimelinePanel.module.css";

const ROW_PX = 24;
/** More rows than this scroll. */
const ROWS_SHOWN = 8;

export function StepList({ steps, chosen, onChoose }: {
  steps: readonly TimelineStep[];
  chosen: TimelineStep | undefined;
  onChoose: (finding: string | undefined) => void;
}) {
  const { t } = useTranslation();
  const tactic = useTacticName();
  const { zone } = useSettings();
  const days = new Set(steps.map((step) => timeText(Date.parse(step.time_dt), zone, "day"))).size;
  const columns = useMemo(
    (): Column<TimelineStep>[] => [
      { id: "time", header: t("incidents.time"), width: days > 1 ? 216 : 128, fixed: true, value: (step) => Date.parse(step.time_dt), cell: (step) => <Time value={step.time_dt} form={days > 1 ? "seconds" : "clock"} /> },
      { id: "level", header: "", named: t("severity.label"), width: 30, fixed: true, cell: (step) => <SeverityMark value={step.level} bare /> },
      { id: "title", header: t("incidents.finding"), width: 200, grow: 3, fixed: true, cell: (step) => <bdi title={oneLine(step.title)}>{oneLine(step.title)}</bdi> },
      { id: "count", header: t("incidents.matches"), width: 76, align: "end", value: (step) => step.count, cell: (step) => <span>{count(step.count)}</span> },
      { id: "outcome", header: t("outcome.label"), width: 100, value: (step) => step.outcome, cell: (step) => <OutcomeMark value={step.outcome} /> },
      { id: "who", header: t("incidents.who"), width: 140, grow: 2, cell: (step) => <bdi title={names(step)}>{names(step)}</bdi> },
      { id: "tactics", header: t("incidents.tactics"), width: 160, grow: 1, hidden: true, cell: (step) => <span>{step.tactics.map(tactic).join(", ")}</span> },
    ],
    [t, days],
  );
  return (
    <div className={styles.steps} style={{ height: 29 + ROW_PX * Math.max(2, Math.min(ROWS_SHOWN, steps.length)) }}>
      <DataTable
        name="incident-steps"
        label={t("incidents.timeline")}
        columns={columns}
        rows={steps}
        rowId={findingOf}
        rowHeight={ROW_PX}
        activeId={chosen?.finding}
        onActive={onChoose}
        onOpen={() => document.getElementById("evidence")?.closest("section")?.scrollIntoView({ block: "start" })}
        primary
        empty={<Empty reason="match" />}
      />
    </div>
  );
}

function findingOf(step: TimelineStep): string {
  return step.finding;
}

function names(step: TimelineStep): string {
  return step.entities.map((one) => oneLine(one.value)).join(", ");
}
