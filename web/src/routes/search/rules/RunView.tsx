// One run of rules over the past: how far it is, what it found, and recording that.
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { keys, ruleHuntFindingsQuery, ruleHuntsQuery } from "@/api/queries";
import type { Recorded, RuleHunt } from "@/api/types";
import { Button, Empty, ErrorState, Icon, ProgressBar, Skeleton, Time } from "@/components";
import { count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { spanText } from "@/lib/time";
import { ResultFrame } from "../ResultFrame";
import { useView } from "../useView";
import { PastFindings } from "./PastFindings";
import { RecordDialog } from "./RecordDialog";
import { isOver, recordBar, shareOf } from "./rule-hunt";
import styles from "./RuleHunt.module.css";
import { useEndRuleHunt, useRuleHunts } from "./useRuleHunts";
import { useTitle } from "./useTitle";

export function RunView({ id }: { id: string }) {
  const { t } = useTranslation();
  const { set } = useView();
  const runs = useRuleHunts();
  const run = runs.data?.items.find((one) => one.id === id);
  const leave = () => set({ by: "rules", run: undefined, finding: undefined });
  const back = (
    <Button kind="quiet" icon="left" onPress={leave}>
      {t("search.hunt.rules.all_runs")}
    </Button>
  );
  return (
    <ResultFrame label={t("search.hunt.rules.one_run")}>
      {run ? <Run run={run} back={back} onGone={leave} /> : <header className={styles.head}>{back}</header>}
      {runs.error && <ErrorState error={runs.error} onRetry={() => void runs.refetch()} {...(runs.data && { asOfMs: runs.dataUpdatedAt })} />}
      {!runs.data && !runs.error && <Skeleton rows={12} />}
      {runs.data && !run && (
        <Empty reason="data">
          <p>{t("search.hunt.rules.gone")}</p>
        </Empty>
      )}
    </ResultFrame>
  );
}

function Run({ run, back, onGone }: { run: RuleHunt; back: ReactNode; onGone: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const titleOf = useTitle();
  const end = useEndRuleHunt(onGone);
  const [asks, setAsks] = useState(false);
  const [done, setDone] = useState<Recorded | null>(null);
  const over = isOver(run);
  const bar = recordBar(run);
  const recorded = (now: Recorded) => {
    setDone(now);
    setAsks(false);
    for (const key of [ruleHuntsQuery().queryKey, ruleHuntFindingsQuery(run.id).queryKey, keys.findings]) void client.invalidateQueries({ queryKey: key });
  };
  return (
    <>
      <header className={styles.head}>
        {back}
        <h3 className="clip" title={titleOf(run.cost)}>
          {titleOf(run.cost)}
        </h3>
        <span className={styles.space} />
        <Button onPress={() => end.mutate(run.id)} isDisabled={end.isPending} {...(over ? {} : { icon: "stop" as const })}>
          {over ? t("search.hunt.rules.forget") : t("search.hunt.rules.stop")}
        </Button>
        <Button
          kind="primary"
          icon="save"
          onPress={() => setAsks(true)}
          isDisabled={bar !== null}
          {...(bar && { hint: t(`search.hunt.rules.record_bar.${bar}`) })}
        >
          {t("search.hunt.rules.record")}
        </Button>
      </header>
      <Progress run={run} />
      {end.error && <ErrorState error={end.error} />}
      <Said run={run} done={done} />
      {run.findings_kept > 0 ? <PastFindings run={run} /> : <Without run={run} />}
      {asks && <RecordDialog run={run} onClose={() => setAsks(false)} onRecorded={recorded} />}
    </>
  );
}

/** Why there are no findings. */
function Without({ run }: { run: RuleHunt }) {
  const { t } = useTranslation();
  if (run.state === "failed") return null;
  const said = !isOver(run)
    ? t("search.hunt.rules.wait")
    : run.state === "cancelled"
      ? t("search.run.stopped_hint")
      : t(run.matches > 0 ? "search.hunt.rules.only_matches" : "search.hunt.rules.nothing", { count: run.matches, number: count(run.matches) });
  return <p className={styles.wait}>{said}</p>;
}

function Progress({ run }: { run: RuleHunt }) {
  const { t } = useTranslation();
  const state = t(`search.hunt.rules.state.${run.state}`);
  // Told when it changes, and not with every poll.
  const [told, setTold] = useState(state);
  useEffect(() => setTold(state), [state]);
  return (
    <div className={styles.progress}>
      <ProgressBar share={shareOf(run)} label={t("search.background.progress")} />
      <p>
        <strong className={styles.state} data-state={run.state}>
          {state}
        </strong>
        <span>{t("search.hunt.rules.files_of", { done: count(run.files_done), of: count(run.cost.files), passed: count(run.cost.files_passed_over) })}</span>
        <span>{t("search.hunt.rules.records_of", { count: run.records, number: count(run.records) })}</span>
        <span>{t("detections.matched", { count: run.matches, shown: count(run.matches) })}</span>
        <span>{spanText(run.ms)}</span>
        <Span run={run} />
        <span>
          {oneLine(run.by)}, <Time value={run.time_dt} />
        </span>
      </p>
      <span className="visually-hidden" role="status">
        {told}
      </span>
    </div>
  );
}

/** The range of time, where there is one. */
function Span({ run }: { run: RuleHunt }) {
  if (run.from === null && run.until === null) return null;
  return (
    <span>
      {run.from && <Time value={run.from} />}
      {" – "}
      {run.until && <Time value={run.until} />}
    </span>
  );
}

/** What has to be known of the run's end beside its findings. */
function Said({ run, done }: { run: RuleHunt; done: Recorded | null }) {
  const { t } = useTranslation();
  return (
    <>
      {run.detail && (
        <p className={styles.notice} data-tone="bad" role="alert">
          <Icon name="warning" /> {oneLine(run.detail)} {run.code && <code>{run.code}</code>}
        </p>
      )}
      {run.state === "full" && (
        <p className={styles.notice} data-tone="warn">
          <Icon name="warning" /> {t("search.hunt.rules.full")}
        </p>
      )}
      {run.findings_kept < run.findings && (
        <p className={styles.notice} data-tone="warn">
          <Icon name="warning" /> {t("search.hunt.rules.kept", { number: count(run.findings_kept), all: count(run.findings) })}
        </p>
      )}
      {run.recorded !== null && (
        <p className={styles.notice} data-tone="ok" role="status">
          <Icon name="check" /> {t("search.hunt.rules.recorded_now", { count: run.recorded, number: count(run.recorded) })}
          {done && done.known > 0 && ` ${t("search.hunt.rules.known_now", { count: done.known, number: count(done.known) })}`}
        </p>
      )}
    </>
  );
}
