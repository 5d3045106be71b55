// Searches in the background: how far each is, what it found, and how to stop it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { request, segment, send } from "@/api/client";
import { backgroundSearchesQuery } from "@/api/queries";
import type { BackgroundSearch } from "@/api/types";
import { Button, ErrorState, Loaded, ProgressBar } from "@/components";
import { count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { spanText } from "@/lib/time";
import { Pop } from "./Pop";
import type { EventRow } from "./rows";
import styles from "./Background.module.css";

const POLL_MS = 1_000;
const PART_ROWS = 2_000;

export function isOver(search: BackgroundSearch): boolean {
  return search.state !== "running" && search.state !== "waiting";
}

/** All of them, asked for again while one runs. */
export function useBackgroundSearches() {
  return useQuery({
    ...backgroundSearchesQuery(),
    refetchInterval: (query) => (query.state.data?.items.every(isOver) === false ? POLL_MS : false),
  });
}

export function Background({ shown, onShow }: { shown: string | undefined; onShow: (id: string | undefined) => void }) {
  const { t } = useTranslation();
  const searches = useBackgroundSearches();
  const items = searches.data?.items ?? [];
  const running = items.filter((one) => !isOver(one)).length;
  if (items.length === 0 && !searches.error) return null;
  return (
    <Pop
      label={t("search.background.label")}
      title={t("search.background.label")}
      width={460}
      text={
        <span className={styles.button}>
          {running > 0 && <span className={styles.dot} aria-hidden="true" />}
          {t("search.background.button", { count: items.length })}
        </span>
      }
    >
      {(close) => (
        <Loaded query={searches} rows={3}>
          {(data) => (
            <ul className={styles.list}>
              {data.items.map((one) => (
                <Row
                  key={one.id}
                  search={one}
                  shown={one.id === shown}
                  onShow={() => {
                    onShow(one.id);
                    close();
                  }}
                  onGone={() => one.id === shown && onShow(undefined)}
                />
              ))}
            </ul>
          )}
        </Loaded>
      )}
    </Pop>
  );
}

function Row({ search, shown, onShow, onGone }: { search: BackgroundSearch; shown: boolean; onShow: () => void; onGone: () => void }) {
  const { t } = useTranslation();
  const end = useEndSearch(onGone);
  return (
    <li className={styles.row} data-shown={shown || undefined}>
      <code className={styles.query}>{oneLine(search.query) || "*"}</code>
      <Progress search={search} />
      {end.error && <ErrorState error={end.error} />}
      <div className={styles.actions}>
        <Button onPress={onShow}>{t("search.background.show")}</Button>
        <Button onPress={() => end.mutate(search.id)} isDisabled={end.isPending}>
          {isOver(search) ? t("search.background.forget") : t("search.background.stop")}
        </Button>
      </div>
    </li>
  );
}

/** State, files gone through of those that have to be, events found. */
export function Progress({ search }: { search: BackgroundSearch }) {
  const { t } = useTranslation();
  const todo = Math.max(0, search.files - search.files_passed_over);
  const share = isOver(search) && search.state === "done" ? 1 : todo === 0 ? 0 : Math.min(1, search.files_done / todo);
  return (
    <div className={styles.progress}>
      <ProgressBar share={share} label={t("search.background.progress")} />
      <span>
        {t(`search.background.state.${search.state}`)} ·{" "}
        {t("search.background.files", { done: count(search.files_done), of: count(todo), passed: count(search.files_passed_over) })} ·{" "}
        {t("search.background.events", { count: search.events, number: count(search.events) })} · {spanText(search.ms)}
      </span>
      {search.detail && (
        <span className={styles.detail}>
          {oneLine(search.detail)} <code>{search.code}</code>
        </span>
      )}
    </div>
  );
}

export function useEndSearch(onGone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request("DELETE", `/searches/${segment(id)}`),
    onSuccess: onGone,
    onSettled: () => client.invalidateQueries({ queryKey: backgroundSearchesQuery().queryKey }),
  });
}

/** The events that a background search has found so far; grows while it runs. */
export function useJobRows(id: string | undefined, events: number): { rows: readonly EventRow[]; error: Error | null } {
  const [found, setFound] = useState<{ id: string | undefined; rows: EventRow[]; next: number; error: Error | null }>({ id, rows: [], next: 0, error: null });
  const current = found.id === id ? found : { id, rows: [], next: 0, error: null };
  const { next, error } = current;
  useEffect(() => {
    if (id === undefined || next >= events || error) return;
    const stop = new AbortController();
    part(id, next, stop.signal).then(
      (more) =>
        setFound((old) => {
          const before = old.id === id ? old.rows : [];
          return { id, rows: [...before, ...more.rows], next: more.next > next ? more.next : events, error: null };
        }),
      (reason: unknown) => {
        if (!stop.signal.aborted) setFound((old) => ({ ...old, id, error: reason instanceof Error ? reason : new Error(String(reason)) }));
      },
    );
    return () => stop.abort();
  }, [id, events, next, error]);
  return { rows: current.rows, error };
}

async function part(id: string, cursor: number, signal: AbortSignal): Promise<{ rows: EventRow[]; next: number }> {
  const response = await send("GET", `/searches/${segment(id)}/rows`, { query: { cursor, limit: PART_ROWS }, signal });
  const text = await response.text();
  const rows = text.split("\n").filter(Boolean).map((line) => JSON.parse(line) as EventRow);
  return { rows, next: Number(response.headers.get("yagura-next-cursor") ?? cursor + rows.length) };
}
