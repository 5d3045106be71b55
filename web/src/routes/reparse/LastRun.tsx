// The last run: how far it is and how long it still takes, or how it ended and why.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Reparse, ReparseRequest } from "@/api/types";
import { Button, Empty, Icon, Loaded, Panel, ProgressBar, Time } from "@/components";
import type { QueryLike } from "@/components/States";
import { count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { spanText } from "@/lib/time";
import { Fact, Facts } from "./Facts";
import { Refused } from "./Refused";
import styles from "./Reparse.module.css";
import { isOver, leftMs, shareOf } from "./reparse";
import { useStop } from "./useReparse";

export function LastRun({ query }: { query: QueryLike<Reparse | null> }) {
  const { t } = useTranslation();
  const state = query.data?.state;
  const why = query.data?.detail;
  return (
    <Panel title={t("reparse.last")} aside={query.data && !isOver(query.data) && <Stop />}>
      <Loaded query={query} rows={6}>
        {(run) =>
          run ? (
            <Run run={run} />
          ) : (
            <Empty reason="data">
              <p>{t("reparse.last_none")}</p>
            </Empty>
          )
        }
      </Loaded>
      {/* Told when it changes, and not with every poll. */}
      <span className="visually-hidden" role="status">
        {state && `${t("reparse.last")}: ${t(`reparse.state.${state}`)}${why ? `: ${oneLine(why)}` : ""}`}
      </span>
    </Panel>
  );
}

function Stop() {
  const { t } = useTranslation();
  const stop = useStop();
  return (
    <>
      {stop.error && <Refused error={stop.error} />}
      <Button icon="stop" onPress={() => stop.mutate()} isDisabled={stop.isPending || stop.isSuccess}>
        {stop.isSuccess ? t("reparse.stopping") : t("reparse.stop")}
      </Button>
    </>
  );
}

function Run({ run }: { run: Reparse }) {
  const { t } = useTranslation();
  const days = useDaysText();
  const left = leftMs(run);
  const { sources } = run.asked;
  return (
    <div className={styles.run}>
      <p className={styles.state} data-state={run.state}>
        <strong>{t(`reparse.state.${run.state}`)}</strong>
      </p>
      <ProgressBar share={shareOf(run)} label={t("reparse.progress")} />
      {/* What came in last may have come into files since the cost was told. */}
      <p className={styles.done}>
        <span>{t("reparse.records_of", { done: count(run.records), all: count(Math.max(run.cost.records, run.records)) })}</span>
        <span>{t("reparse.partitions_of", { done: count(run.partitions_done), all: count(Math.max(run.cost.partitions, run.partitions_done)) })}</span>
      </p>
      {run.detail && (
        <p className={styles.notice} data-tone="bad">
          <Icon name="warning" />
          <span>
            {t(`reparse.failure.${run.code as "pipeline"}`, { defaultValue: "" })} <span className={styles.detail}>{oneLine(run.detail)}</span> <code>{run.code}</code>
          </span>
        </p>
      )}
      <Facts>
        {!isOver(run) && <Fact name={t("reparse.left")}>{left === null ? t("reparse.left_unknown") : t("reparse.left_about", { time: spanText(left) })}</Fact>}
        <Fact name={t("reparse.took")}>{spanText(run.ms)}</Fact>
        <Fact name={t("reparse.asked_sources")}>{sources.length === 0 ? t("reparse.asked_all_sources") : sources.map(oneLine).join(", ")}</Fact>
        <Fact name={t("reparse.asked_days")}>{days(run.asked)}</Fact>
        <Fact name={t("reparse.begun")}>
          <Time value={run.time_dt} />
        </Fact>
        <Fact name={t("reparse.by")}>
          <bdi>{oneLine(run.by)}</bdi>
        </Fact>
      </Facts>
      <After state={run.state} />
    </div>
  );
}

/** What follows from how it ended. */
function After({ state }: Pick<Reparse, "state">) {
  const { t } = useTranslation();
  if (state === "cancelled") return <p className={styles.hint}>{t("reparse.stopped_kept")}</p>;
  if (state === "failed") return <p className={styles.hint}>{t("reparse.failed_kept")}</p>;
  if (state !== "done") return null;
  return (
    <>
      <p className={styles.hint}>{t("reparse.done_more")}</p>
      <p>
        <Link to="/search" search={{ view: "hunt", by: "rules" }}>
          {t("reparse.run_rules")}
        </Link>
      </p>
    </>
  );
}

function useDaysText(): (asked: ReparseRequest) => string {
  const { t } = useTranslation();
  return ({ from, until }) => {
    if (from && until) return from === until ? from : t("reparse.asked_span", { from, until });
    if (from) return t("reparse.asked_since", { day: from });
    return until ? t("reparse.asked_until", { day: until }) : t("reparse.asked_all_days");
  };
}
