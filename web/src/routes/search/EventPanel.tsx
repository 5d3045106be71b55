// One event: its tree beside its record, findings that name it, and the events before and behind it.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { eventQuery } from "@/api/queries";
import type { EventDetail } from "@/api/types";
import { Button, CopyButton, Loaded, Menu, Retrospective, SeverityMark, SidePanel, Time } from "@/components";
import { count } from "@/lib/number";
import { term } from "@/lib/query-text";
import { oneLine } from "@/lib/raw";
import { toMs } from "@/lib/time";
import { useSettled } from "@/lib/useSettled";
import { RuleLink } from "@/routes/detections/RuleLink";
import { EventRecord } from "./EventRecord";
import { EventTree } from "./EventTree";
import { pathsOf, spansAt } from "./spans";
import { around } from "./time-range";
import styles from "./EventPanel.module.css";

const REACHES_MS = [60_000, 5 * 60_000, 60 * 60_000] as const;

/** Nearer than this, receipt and event are told as one. */
const APART_MS = 5 * 60_000;

export interface EventPanelProps {
  id: string;
  /** Its place among the rows, from 0; -1 where it is none of them. */
  index: number;
  of: number;
  onStep: (step: 1 | -1) => void;
  onClose: () => void;
  onAround: (query: string, range: { from: string; until: string }) => void;
}

export function EventPanel({ id, index, of, onStep, onClose, onAround }: EventPanelProps) {
  const { t } = useTranslation();
  const settled = useSettled(id);
  const found = useQuery({ ...eventQuery(settled), placeholderData: keepPreviousData, staleTime: 60_000 });
  return (
    <SidePanel
      className={styles.panel}
      label={t("search.event.label")}
      busy={found.isFetching}
      head={
        <>
          <h2>{t("search.event.label")}</h2>
          {index >= 0 && <span className={styles.place}>{t("search.event.place", { at: count(index + 1), of: count(of) })}</span>}
          <Button kind="quiet" icon="up" hint={t("search.event.previous")} isDisabled={index <= 0} onPress={() => onStep(-1)} />
          <Button kind="quiet" icon="down" hint={t("search.event.next")} isDisabled={index < 0 || index >= of - 1} onPress={() => onStep(1)} />
        </>
      }
      tools={found.data && <Tools detail={found.data} onAround={onAround} />}
      closeHint={t("search.event.close")}
      onClose={onClose}
    >
      <div className={styles.content} data-stale={found.isPlaceholderData || undefined}>
        <Loaded query={found} rows={14}>
          {(detail) => <Detail key={settled} detail={detail} />}
        </Loaded>
      </div>
    </SidePanel>
  );
}

function Detail({ detail }: { detail: EventDetail }) {
  const { t } = useTranslation();
  const [point, setPoint] = useState<{ path: string } | { span: number } | null>(null);
  const { spans } = detail;
  const placed = useMemo(() => new Set(spans.flatMap(pathsOf)), [spans]);
  const litSpans = useMemo(
    () => new Set(point === null ? [] : "path" in point ? spansAt(spans, point.path) : [point.span]),
    [point, spans],
  );
  const litPaths = useMemo(() => {
    const span = point !== null && "span" in point ? spans[point.span] : undefined;
    return new Set(span ? pathsOf(span) : []);
  }, [point, spans]);
  const event = detail.event as Record<string, unknown>;
  return (
    <>
      <div className={styles.summary}>
        <Time value={(event.time_dt ?? event.time) as string | number | undefined} form="full" />
        <Received event={event} />
        <span>{oneLine(String(event.class_name ?? ""))}</span>
        <span className="muted">{[detail.source || t("search.event.no_source"), detail.feed, detail.tenant].map(oneLine).join(" · ")}</span>
      </div>
      {detail.findings.length > 0 && (
        <ul className={styles.findings} aria-label={t("search.event.findings")}>
          {detail.findings.map((finding) => (
            <li key={finding.id}>
              <SeverityMark value={finding.level} bare />
              <RuleLink id={finding.rule} text={finding.title} finding={finding.id} />
              {finding.retrospective && <Retrospective />}
            </li>
          ))}
        </ul>
      )}
      <div className={styles.halves}>
        <section className={styles.half}>
          <header className={styles.halfHead}>
            <h3>{t("search.event.record")}</h3>
            <span className="muted">{spans.length === 0 ? t("search.event.no_spans") : t("search.event.spans", { count: spans.length })}</span>
            <CopyButton text={detail.raw_data} label={t("search.event.copy_record")} />
          </header>
          <EventRecord text={detail.raw_data} spans={spans} lit={litSpans} onPoint={(span) => setPoint(span === null ? null : { span })} />
        </section>
        <section className={styles.half} data-tree>
          <header className={styles.halfHead}>
            <h3>{t("search.event.fields")}</h3>
            <span />
            <CopyButton text={() => JSON.stringify(detail.event, null, 2)} label={t("search.event.copy_json")} />
          </header>
          <div className={styles.tree}>
            <EventTree event={event} lit={litPaths} placed={placed} onPoint={(path) => setPoint(path === null ? null : { path })} />
          </div>
        </section>
      </div>
    </>
  );
}

/** When the platform got it, where that is not about when it happened: a replay, a late file, a wrong clock. */
function Received({ event }: { event: Record<string, unknown> }) {
  const { t } = useTranslation();
  const [happened, received] = [toMs((event.time_dt ?? event.time) as string | number | undefined), toMs((event.metadata as { logged_time?: number } | undefined)?.logged_time)];
  if (happened === null || received === null || Math.abs(received - happened) < APART_MS) return null;
  return (
    <span className="muted">
      {t("search.event.received")} <Time value={received} />
    </span>
  );
}

/** What happened around it, at the same host, account or inflow. */
function Tools({ detail, onAround }: { detail: EventDetail; onAround: EventPanelProps["onAround"] }) {
  const { t } = useTranslation();
  const event = detail.event as { time?: number; time_dt?: string; device?: { hostname?: string }; user?: { name?: string }; actor?: { user?: { name?: string } } };
  const ms = toMs(event.time_dt ?? event.time);
  if (ms === null) return null;
  const host = event.device?.hostname;
  const user = event.user?.name ?? event.actor?.user?.name;
  const places = [
    { id: "all", title: t("search.event.around_all"), query: "" },
    ...(host ? [{ id: "host", title: t("search.event.around_host", { host: oneLine(host) }), query: term("host", host) }] : []),
    ...(user ? [{ id: "user", title: t("search.event.around_user", { user: oneLine(user) }), query: term("user", user) }] : []),
    { id: "feed", title: t("search.event.around_feed", { feed: oneLine(detail.feed) }), query: term("feed", detail.feed) },
  ];
  const groups = places.map((place) => ({
    id: place.id,
    title: place.title,
    entries: REACHES_MS.map((reach) => ({
      id: String(reach),
      label: t("search.event.reach", { minutes: reach / 60_000 }),
      onAction: () => onAround(place.query, around(ms, reach)),
    })),
  }));
  return <Menu label={t("search.event.around")} trigger={<Button kind="quiet" icon="clock" hint={t("search.event.around")} />} groups={groups} />;
}
