// How the platform itself is: pipeline, latency, memory, disk.
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { DiskStage, Latency, MemoryUse, Overview } from "@/api/types";
import { Icon, Panel, Time } from "@/components";
import { useNow } from "@/lib/now";
import { bytes, count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { spanText } from "@/lib/time";
import styles from "./System.module.css";

type Part = Pick<Overview, "pipeline" | "memory" | "disk" | "version" | "started_time_dt">;

export function System({ pipeline, memory, disk, version, started_time_dt, className }: Part & { className?: string | undefined }) {
  const { t } = useTranslation();
  return (
    <Panel className={className} title={t("overview.system.title")} aside={<span className="num">{t("overview.system.version", { version })}</span>} flush>
      <div className={styles.columns}>
        <dl className={styles.list}>
          <Row name={t("overview.system.visible")} hint={t("overview.system.visible_hint")}>
            <LatencyText value={pipeline.latency_visible_ms} />
          </Row>
          <Row name={t("overview.system.judged")} hint={t("overview.system.judged_hint")}>
            <LatencyText value={pipeline.latency_judged_ms} />
          </Row>
          <Row name={t("overview.system.lag")} hint={t("overview.system.lag_hint")}>
            {count(pipeline.lag_records)}
          </Row>
          <Row name={t("overview.system.to_judge")} hint={t("overview.system.to_judge_hint")}>
            {count(Math.max(0, pipeline.durable_lsn - pipeline.judge_lsn))}
          </Row>
          <Row name={t("overview.system.to_lake")} hint={t("overview.system.to_lake_hint")}>
            {count(Math.max(0, pipeline.durable_lsn - pipeline.lake_lsn))}
          </Row>
          <Row name={t("overview.system.up")}>
            <Uptime since={started_time_dt} />
          </Row>
        </dl>
        <dl className={styles.list}>
          <Row name={t("overview.system.disk_free")}>{bytes(disk.free_bytes)}</Row>
          <Row name={t("overview.system.disk_stage")}>
            <Stage stage={disk.stage} />
          </Row>
          <Row name={t("overview.system.ballast")} hint={t("overview.system.ballast_hint")}>
            {disk.ballast ? t("overview.system.ballast_there") : <span className={styles.bad}>{t("overview.system.ballast_gone")}</span>}
          </Row>
          {memory.map((one) => (
            <Memory key={one.name} use={one} />
          ))}
        </dl>
      </div>
    </Panel>
  );
}

/** What stands above everything while the pipeline has stopped or tries again, or the disk is filling. */
export function Alarm({ pipeline, disk }: Pick<Overview, "pipeline" | "disk">) {
  const { t } = useTranslation();
  const { failure, trouble } = pipeline;
  const alarms: string[] = [];
  if (failure) alarms.push(t("overview.system.failure", { why: oneLine(failure) }));
  if (disk.stage === "input_refused" || disk.stage === "compaction_stopped") {
    alarms.push(t(`overview.system.alarm_${disk.stage}`, { free: bytes(disk.free_bytes) }));
  }
  if (trouble) alarms.push(t("overview.system.trouble", { why: oneLine(trouble) }));
  if (alarms.length === 0) return null;
  return (
    <div className={styles.alarm} role="alert">
      {alarms.map((alarm) => (
        <p key={alarm}>
          <Icon name="warning" />
          {alarm}
        </p>
      ))}
    </div>
  );
}

function Row({ name, hint, children }: { name: string; hint?: string; children: ReactNode }) {
  return (
    <div>
      <dt title={hint}>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function LatencyText({ value }: { value: Latency | null }) {
  const { t } = useTranslation();
  if (!value) return <span className="muted">{t("overview.system.idle")}</span>;
  return (
    <span title={t("overview.system.percentiles")}>
      {spanText(value.p50)} <span className="muted">/ {spanText(value.p99)}</span>
    </span>
  );
}

function Uptime({ since }: { since: string }) {
  const now = useNow();
  return (
    <>
      {spanText(Math.max(0, now - Date.parse(since)))}
      <span className="visually-hidden">
        <Time value={since} />
      </span>
    </>
  );
}

function Stage({ stage }: { stage: DiskStage }) {
  const { t } = useTranslation();
  const words = t(`overview.system.stage_${stage}`, { defaultValue: stage });
  return <span className={stage === "ample" ? undefined : stage === "low" ? styles.warn : styles.bad}>{words}</span>;
}

function Memory({ use }: { use: MemoryUse }) {
  const { t } = useTranslation();
  const name = t(`overview.system.memory_${use.name}`, { defaultValue: use.name });
  const share = use.limit_bytes ? Math.min(1, use.used_bytes / use.limit_bytes) : null;
  return (
    <Row name={name} hint={t(`overview.system.memory_${use.name}_hint`, { defaultValue: "" })}>
      <span>
        {bytes(use.used_bytes)}
        {use.limit_bytes !== null && <span className="muted"> / {bytes(use.limit_bytes)}</span>}
      </span>
      {share !== null && (
        <span className={styles.meter} aria-hidden="true">
          <span style={{ width: `${share * 100}%` }} data-high={share > 0.9 || undefined} />
        </span>
      )}
    </Row>
  );
}
