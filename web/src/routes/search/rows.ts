// Asks for events and for a pipe's rows, and says what it took.
import { queryOptions } from "@tanstack/react-query";
import { request, segment } from "@/api/client";
import { streamRows } from "@/api/ndjson";
import { ApiProblem } from "@/api/problem";
import type { SearchStats } from "@/api/types";
import { PIPE_ROWS_MAX } from "./limits";
import type { PipeRow } from "./pipe-chart";

/** An event with the columns asked for. */
export interface EventRow {
  id: string;
  [column: string]: unknown;
}

export interface SearchAsked {
  query: string;
  columns: readonly string[];
  sort: string | undefined;
  limit: number;
}

export interface Searched {
  rows: EventRow[];
  stats: SearchStats;
}

export interface Piped {
  rows: PipeRow[];
  /** Whether the answer had more rows than are kept. */
  cut: boolean;
  tookMs: number;
}

/** The body of a search for a table. */
export function searchBody(asked: SearchAsked): Record<string, unknown> {
  const columns = ["id", ...asked.columns.filter((name) => name !== "id")].join(",");
  return { query: asked.query, format: "ndjson", columns, limit: asked.limit, ...(asked.sort && { sort: asked.sort }) };
}

/** `run` tells runs of one query apart. */
export function searchRowsQuery(asked: SearchAsked, run: number) {
  return queryOptions({
    queryKey: ["search", asked, run],
    queryFn: async ({ signal }): Promise<Searched> => {
      const rows: EventRow[] = [];
      const headers = await streamRows<EventRow>("/search", { body: searchBody(asked), signal }, (more) => {
        for (const row of more) rows.push(row);
      });
      return { rows, stats: statsOf(headers, "yagura-search-stats", { events: rows.length, more: false, files: 0, pruned: 0, took_ms: 0 }) };
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 5 * 60_000,
    retry: false,
  });
}

export function pipeRowsQuery(pipe: string, run: number) {
  return queryOptions({
    queryKey: ["pipe", pipe, run],
    queryFn: async ({ signal }): Promise<Piped> => {
      const began = performance.now();
      const stop = new AbortController();
      signal.addEventListener("abort", () => stop.abort());
      const answer: Piped = { rows: [], cut: false, tookMs: 0 };
      const names: { id?: string } = {};
      try {
        await streamRows<PipeRow>(
          "/query",
          { body: { query: pipe, format: "ndjson" }, signal: stop.signal },
          (more) => {
            for (const row of more) if (answer.rows.length < PIPE_ROWS_MAX) answer.rows.push(row);
            answer.cut = answer.cut || answer.rows.length >= PIPE_ROWS_MAX;
            if (answer.cut) stop.abort();
          },
          (headers) => (names.id = headers.get("yagura-query-id") ?? ""),
        );
      } catch (error) {
        if (!answer.cut) throw signal.aborted ? error : await whyBroken(error, names.id);
      }
      return { ...answer, tookMs: performance.now() - began };
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 5 * 60_000,
    retry: false,
  });
}

/** A part of what a background search has found. */
export interface JobPart {
  rows: EventRow[];
  next: number;
}

/** JSON in a header. */
export function statsOf<T>(headers: Headers, name: string, otherwise: T): T {
  try {
    return JSON.parse(headers.get(name) ?? "") as T;
  } catch {
    return otherwise;
  }
}

/** An answer that breaks off says why only in the list of queries. */
async function whyBroken(error: unknown, id: string | undefined): Promise<unknown> {
  if (!id || error instanceof ApiProblem) return error;
  const state = await request<{ outcome?: string; detail?: string }>("GET", `/queries/${segment(id)}`).catch(() => null);
  return state?.outcome ? new ApiProblem(200, state.outcome, "", state.detail ?? "") : error;
}
