// Keeps the query cache up to date from the server's event stream, with back-off and pauses.
import type { QueryClient } from "@tanstack/react-query";
import { address } from "@/api/client";
import { keys, overviewQuery, sessionQuery } from "@/api/queries";
import type { Overview } from "@/api/types";
import { connection, liveIs, onTryNow, reached } from "@/lib/connection";

const BACK_OFF_MS_MIN = 1_000;
const BACK_OFF_MS_MAX = 30_000;
/** The server speaks at least every 10 s; after this silence the stream counts as dead. */
const SILENCE_MS_MAX = 15_000;
/** Lists are asked for again at most this often. */
const LIST_MS = 1_000;

/** Listens until the returned function is called. */
export function listen(client: QueryClient): () => void {
  let source: EventSource | null = null;
  let waitMs = BACK_OFF_MS_MIN;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let broken = false;
  const lists = throttled((key: readonly string[]) => void client.invalidateQueries({ queryKey: key }), LIST_MS);

  const alive = () => {
    liveIs("live", true);
    clearTimeout(silence);
    silence = setTimeout(fail, SILENCE_MS_MAX);
  };
  const close = () => {
    clearTimeout(retry);
    clearTimeout(silence);
    source?.close();
    source = null;
  };
  const fail = () => {
    close();
    broken = true;
    liveIs("reconnecting");
    void client.fetchQuery({ ...sessionQuery(), staleTime: 0 }).catch(() => undefined);
    retry = setTimeout(open, waitMs * (0.8 + Math.random() * 0.4));
    waitMs = Math.min(waitMs * 2, BACK_OFF_MS_MAX);
  };
  const open = () => {
    close();
    source = new EventSource(address("/live"));
    source.onopen = () => {
      waitMs = BACK_OFF_MS_MIN;
      reached(true);
      alive();
      if (broken) void client.invalidateQueries();
      broken = false;
    };
    source.onerror = fail;
    source.addEventListener("overview", (event) => {
      alive();
      takeOverview(client, String(event.data));
    });
    source.addEventListener("incidents", () => {
      alive();
      lists(keys.incidents);
    });
    source.addEventListener("findings", () => {
      alive();
      lists(keys.findings);
      lists(keys.rules);
      lists(keys.entities);
    });
  };
  const onVisibility = () => {
    if (document.hidden) {
      close();
      liveIs("paused");
      broken = true;
    } else if (!source) {
      open();
    }
  };

  const hurry = () => {
    if (document.hidden || connection().live === "live") return;
    waitMs = BACK_OFF_MS_MIN;
    open();
  };

  document.addEventListener("visibilitychange", onVisibility);
  window.addEventListener("online", hurry);
  const forgetTry = onTryNow(hurry);
  if (document.hidden) liveIs("paused");
  else open();
  return () => {
    document.removeEventListener("visibilitychange", onVisibility);
    window.removeEventListener("online", hurry);
    forgetTry();
    close();
  };
}

function takeOverview(client: QueryClient, data: string): void {
  try {
    const fresh = JSON.parse(data) as Partial<Overview>;
    client.setQueryData<Overview>(overviewQuery().queryKey, (old) =>
      old ? { ...old, ...fresh } : fresh.feeds ? (fresh as Overview) : old,
    );
  } catch {
    void client.invalidateQueries({ queryKey: keys.overview });
  }
}

/** Runs at once, then at most once a period for each key, never dropping the last call. */
function throttled(run: (key: readonly string[]) => void, periodMs: number): (key: readonly string[]) => void {
  const waiting = new Map<string, { again: boolean }>();
  const fire = (key: readonly string[]) => {
    const name = key.join("/");
    const state = { again: false };
    waiting.set(name, state);
    run(key);
    setTimeout(() => {
      waiting.delete(name);
      if (state.again) fire(key);
    }, periodMs);
  };
  return (key) => {
    const state = waiting.get(key.join("/"));
    if (state) state.again = true;
    else fire(key);
  };
}
