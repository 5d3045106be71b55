// The feeds with rate, last record and books; those that need somebody come first.
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Books, Feed } from "@/api/types";
import { Age, type Column, DataTable, Icon, Panel } from "@/components";
import { count, rate } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { bookTerms, feedsInOrder, lastReceived } from "./figures";
import styles from "./Overview.module.css";

const rowId = (feed: Feed) => `${feed.tenant}/${feed.feed}`;

export function Feeds({ feeds, books, started }: { feeds: Feed[]; books: Books; started: string }) {
  const { t } = useTranslation();
  const rows = useMemo(() => feedsInOrder(feeds), [feeds]);
  const several = useMemo(() => new Set(feeds.map((feed) => feed.tenant)).size > 1, [feeds]);
  const columns = useColumns(several, Date.parse(started));
  const quiet = feeds.filter((feed) => feed.quiet).length;
  return (
    <Panel
      className={styles.feeds}
      flush
      title={t("overview.feeds.title")}
      aside={
        <>
          {quiet > 0 && (
            <span className={styles.warn}>
              <Icon name="warning" size={14} /> {t("overview.feeds.quiet", { count: quiet })}
            </span>
          )}
          <span>{t("overview.feeds.count", { count: feeds.length })}</span>
          <Link to="/reparse" className={styles.more}>
            {t("page.reparse")}
            <Icon name="right" size={12} />
          </Link>
        </>
      }
    >
      <DataTable
        name="overview.feeds"
        label={t("overview.feeds.title")}
        columns={columns}
        rows={rows}
        rowId={rowId}
        empty={
          <div className={styles.calm} role="status">
            <p>{t("overview.feeds.none")}</p>
            <p className="muted">{t("overview.feeds.none_more")}</p>
          </div>
        }
      />
      {feeds.length > 0 && <BookLine books={books} />}
    </Panel>
  );
}

function useColumns(several: boolean, startedMs: number): Column<Feed>[] {
  const { t } = useTranslation();
  return useMemo(
    () => [
      {
        id: "feed",
        header: t("overview.feeds.feed"),
        width: 120,
        grow: 1,
        fixed: true,
        value: (feed) => rowId(feed),
        cell: (feed) => (
          <span title={oneLine(rowId(feed))}>
            {several && <span className={styles.tenant}>{oneLine(feed.tenant)} / </span>}
            {oneLine(feed.feed)}
          </span>
        ),
      },
      {
        id: "rate",
        header: t("overview.feeds.rate"),
        width: 64,
        align: "end",
        value: (feed) => feed.records_per_s,
        cell: (feed) => (feed.quiet ? <span className={styles.quiet}>{t("overview.feeds.is_quiet")}</span> : rate(feed.records_per_s)),
      },
      {
        id: "last",
        header: t("overview.feeds.last"),
        width: 104,
        align: "end",
        value: (feed) => lastReceived(feed.last_time_dt, startedMs)?.ms,
        cell: (feed) => <LastReceived feed={feed} startedMs={startedMs} />,
      },
      { id: "books", header: t("overview.books.title"), width: 108, align: "end", value: (feed) => feed.gap, cell: (feed) => <FeedBooks feed={feed} /> },
      { id: "received", header: t("overview.books.received"), width: 108, align: "end", hidden: true, value: (feed) => feed.received, cell: (feed) => count(feed.received) },
    ],
    [t, several, startedMs],
  );
}

/** By the platform's clock, whatever time the records themselves carry. */
function LastReceived({ feed, startedMs }: { feed: Feed; startedMs: number }) {
  const { t } = useTranslation();
  const last = lastReceived(feed.last_time_dt, startedMs);
  return (
    <span className={feed.quiet ? styles.quiet : "muted"} {...(last && !last.exact && { title: t("overview.feeds.last_hour") })}>
      {last && !last.exact && "~"}
      <Age value={last?.ms} />
    </span>
  );
}

/** The worst that the books of a feed say, with all of it in the tooltip. */
function FeedBooks({ feed }: { feed: Feed }) {
  const { t } = useTranslation();
  const equation = useEquation()(feed);
  if (feed.gap !== 0) {
    return (
      <span className={styles.missing} title={equation}>
        <span className={styles.swatch} aria-hidden="true" />
        {t("overview.books.missing", { shown: count(feed.gap) })}
      </span>
    );
  }
  if (feed.dropped_by_kernel > 0) return <span title={equation}>{t("overview.books.dropped", { shown: count(feed.dropped_by_kernel) })}</span>;
  if (feed.rejected > 0) return <span title={equation}>{t("overview.books.refused", { shown: count(feed.rejected) })}</span>;
  return (
    <span className={styles.balanced} title={equation}>
      {t("overview.books.balanced")}
    </span>
  );
}

function BookLine({ books }: { books: Books }) {
  const { t } = useTranslation();
  const equation = useEquation()(books);
  return (
    <p className={styles.bookLine} data-broken={books.gap !== 0 || undefined}>
      {equation}
      {books.dropped_by_kernel > 0 && <> · {t("overview.books.dropped_in_kernel", { shown: count(books.dropped_by_kernel) })}</>}
    </p>
  );
}

function useEquation(): (books: Books) => string {
  const { t } = useTranslation();
  return (books) => {
    const terms = bookTerms(books).map(([term, n]) => `${t(`overview.books.term_${term}`)} ${count(n)}`);
    return `${t("overview.books.received")} ${count(books.received)} = ${terms.join(" + ")}`;
  };
}
