// Who is told of incidents: each channel with what waits, what was sent and what was given up, to be tried again.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { make, segment } from "@/api/client";
import { keys, notificationChannelsQuery, notificationsQuery } from "@/api/queries";
import type { Notification, NotificationChannel } from "@/api/types";
import { Page } from "@/app/Page";
import { Age, Button, Empty, ErrorState, Icon, Loaded, Panel, Raw, SeverityMark, Time } from "@/components";
import { useWord } from "@/i18n/words";
import { count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import styles from "./Notifications.module.css";

/** What waits changes by itself. */
const AGAIN_MS = 5_000;

export function NotificationsPage() {
  const { t } = useTranslation();
  const channels = useQuery({ ...notificationChannelsQuery(), refetchInterval: AGAIN_MS });
  const dead = useQuery({ ...notificationsQuery("dead"), refetchInterval: AGAIN_MS });
  const waiting = useQuery({ ...notificationsQuery("pending"), refetchInterval: AGAIN_MS });
  return (
    <Page title={t("page.notifications")} heading>
      <div className={styles.page}>
        <Panel flush title={t("notifications.channels")}>
          <p className={styles.about}>{t("notifications.channels_about")}</p>
          <Loaded query={channels} rows={2}>
            {(list) => <Channels items={list.items} />}
          </Loaded>
        </Panel>
        <Panel flush title={t("notifications.dead_title")}>
          <Loaded query={dead} rows={3}>
            {(list) => <Dead items={list.items} />}
          </Loaded>
        </Panel>
        <Panel flush title={t("notifications.waiting_title")}>
          <Loaded query={waiting} rows={2}>
            {(list) => <Waiting items={list.items} />}
          </Loaded>
        </Panel>
      </div>
    </Page>
  );
}

function Channels({ items }: { items: NotificationChannel[] }) {
  const { t } = useTranslation();
  if (items.length === 0) {
    return (
      <Empty reason="data">
        <p>{t("notifications.no_channel")}</p>
      </Empty>
    );
  }
  return (
    <table className={styles.table}>
      <caption className="visually-hidden">{t("notifications.channels")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("notifications.channel")}</th>
          <th scope="col" className={styles.end}>{t("notifications.pending")}</th>
          <th scope="col" className={styles.end}>{t("notifications.sent")}</th>
          <th scope="col" className={styles.end}>{t("notifications.dead")}</th>
          <th scope="col">{t("notifications.oldest")}</th>
        </tr>
      </thead>
      <tbody>
        {items.map((channel) => (
          <tr key={channel.channel}>
            <th scope="row">{oneLine(channel.channel)}</th>
            <td className={styles.figure}>{count(channel.pending)}</td>
            <td className={styles.figure}>{count(channel.sent)}</td>
            <td className={styles.figure} data-bad={channel.dead > 0 || undefined}>
              {channel.dead > 0 && <Icon name="warning" size={12} />}
              {count(channel.dead)}
            </td>
            <td>{channel.oldest_pending_time_dt && <Age value={channel.oldest_pending_time_dt} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Dead({ items }: { items: Notification[] }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const retry = useMutation({
    // The tenant is the notification's own, whatever the page is about.
    mutationFn: (one: Notification) => make(`/notifications/${segment(one.id)}/retry`, { query: { tenant: one.tenant } }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.notifications }),
  });
  if (items.length === 0) return <p className={styles.calm}>{t("notifications.no_dead")}</p>;
  return (
    <>
      <p className={styles.about}>{t("notifications.dead_about")}</p>
      {retry.error && <ErrorState error={retry.error} asOfMs={Date.now()} />}
      <table className={styles.table}>
        <Head of={t("notifications.dead_title")} last={t("notifications.last_error")} action={t("notifications.retry")} />
        <tbody>
          {items.map((one) => (
            <tr key={one.id}>
              <What one={one} />
              <td className={styles.error}>{one.last_error && <Raw inline text={one.last_error} />}</td>
              <td className={styles.end}>
                <Button
                  icon="refresh"
                  aria-label={t("notifications.retry_one", { channel: oneLine(one.channel), incident: one.incident })}
                  isDisabled={retry.isPending && retry.variables?.id === one.id}
                  onPress={() => retry.mutate(one)}
                >
                  {t("notifications.retry")}
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Waiting({ items }: { items: Notification[] }) {
  const { t } = useTranslation();
  if (items.length === 0) return <p className={styles.calm}>{t("notifications.no_waiting")}</p>;
  return (
    <table className={styles.table}>
      <Head of={t("notifications.waiting_title")} last={t("notifications.last_error")} action={t("notifications.next")} />
      <tbody>
        {items.map((one) => (
          <tr key={one.id}>
            <What one={one} />
            <td className={styles.error}>{one.last_error && <Raw inline text={one.last_error} />}</td>
            <td className={styles.end}>{one.next_time_dt ? <Time value={one.next_time_dt} form="clock" /> : t("notifications.at_once")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The caption and the head of a table of notifications. */
function Head({ of, last, action }: { of: string; last: string; action: string }) {
  const { t } = useTranslation();
  return (
    <>
      <caption className="visually-hidden">{of}</caption>
      <thead>
        <tr>
          <th scope="col">{t("notifications.channel")}</th>
          <th scope="col">{t("notifications.incident")}</th>
          <th scope="col">{t("notifications.told_of")}</th>
          <th scope="col">{t("notifications.made")}</th>
          <th scope="col" className={styles.end}>{t("notifications.attempts")}</th>
          <th scope="col">{last}</th>
          <th scope="col" className={styles.end}>{action}</th>
        </tr>
      </thead>
    </>
  );
}

function What({ one }: { one: Notification }) {
  const { t } = useTranslation();
  const word = useWord();
  const told = t(`notifications.event.${one.event}` as "notifications.event.opened", { defaultValue: word("incident_state", one.event as "new") });
  return (
    <>
      <th scope="row">{oneLine(one.channel)}</th>
      <td>
        <span className={styles.incident}>
          <SeverityMark value={one.severity} bare />
          <Link to="/incidents/$id" params={{ id: one.incident }} search={{ of: one.tenant }}>
            {one.incident}
          </Link>
        </span>
      </td>
      <td>{told}</td>
      <td>
        <Time value={one.created_time_dt} />
      </td>
      <td className={styles.figure}>{count(one.attempts)}</td>
    </>
  );
}
