// The runs of rules over the past that are kept.
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { RuleHunt } from "@/api/types";
import { type Column, DataTable, Empty, Loaded, Time } from "@/components";
import { count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { useStable } from "@/lib/useStable";
import { ResultFrame } from "../ResultFrame";
import { useView } from "../useView";
import { isOver } from "./rule-hunt";
import styles from "./RuleHunt.module.css";
import { useRuleHunts } from "./useRuleHunts";
import { useTitle } from "./useTitle";

export function Runs() {
  const { t } = useTranslation();
  const { set } = useView();
  const runs = useRuleHunts();
  const open = useStable((run: RuleHunt) => set({ by: "rules", run: run.id, finding: undefined }));
  const columns = useColumns(open);
  return (
    <ResultFrame label={t("search.hunt.rules.runs")} titled>
      <header className={styles.head}>
        <h2>{t("search.hunt.rules.runs")}</h2>
        <span className={styles.faint}>{t("search.hunt.rules.runs_note")}</span>
      </header>
      <Loaded query={runs} rows={8}>
        {(page) => (
          <div className={styles.runs}>
            <DataTable
              name="rule-hunts"
              label={t("search.hunt.rules.runs")}
              columns={columns}
              rows={page.items}
              rowId={rowId}
              onOpen={open}
              primary
              empty={
                <Empty reason="data">
                  <p>{t("search.hunt.rules.no_runs")}</p>
                </Empty>
              }
            />
          </div>
        )}
      </Loaded>
    </ResultFrame>
  );
}

function rowId(run: RuleHunt): string {
  return run.id;
}

function useColumns(open: (run: RuleHunt) => void): Column<RuleHunt>[] {
  const { t } = useTranslation();
  const titleOf = useTitle();
  return useMemo(
    () => [
      {
        id: "rules",
        header: t("search.hunt.rules.rules"),
        width: 152,
        grow: 1,
        fixed: true,
        cell: (run) => (
          <button type="button" className={styles.link} onClick={() => open(run)} title={titleOf(run.cost)}>
            {titleOf(run.cost)}
          </button>
        ),
      },
      { id: "state", header: t("search.hunt.rules.state_label"), width: 88, value: (run) => run.state, cell: (run) => <span className={styles.state} data-state={run.state}>{t(`search.hunt.rules.state.${run.state}`)}</span> },
      { id: "findings", header: t("detections.findings"), width: 74, align: "end", value: (run) => run.findings, cell: (run) => (isOver(run) ? <span>{count(run.findings)}</span> : <span className="muted">–</span>) },
      { id: "recorded", header: t("search.hunt.rules.recorded"), width: 74, align: "end", value: (run) => run.recorded, cell: (run) => (run.recorded === null ? <span className="muted">–</span> : <span>{count(run.recorded)}</span>) },
      { id: "matches", header: t("detections.matches"), width: 74, align: "end", value: (run) => run.matches, cell: (run) => <span>{count(run.matches)}</span> },
      { id: "records", header: t("search.hunt.rules.records"), width: 100, align: "end", hidden: true, value: (run) => run.records, cell: (run) => <span>{count(run.records)}</span> },
      { id: "begun", header: t("search.hunt.rules.begun"), width: 204, value: (run) => run.time_dt, cell: (run) => <Time value={run.time_dt} /> },
      { id: "by", header: t("search.hunt.rules.by"), width: 80, value: (run) => oneLine(run.by) },
    ],
    [t, titleOf, open],
  );
}
