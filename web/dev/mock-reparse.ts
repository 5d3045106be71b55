// The mock's run in which records are parsed again: eight seconds, over four parts.
import type { Reply } from "./mock-routes.ts";

type Json = Record<string, unknown>;

const PARTS = 4;
const COST = { partitions: PARTS, files: 12, records: 5_214_330, bytes: 1_288_490_189, largest_bytes: 402_653_184 };
const RUN_MS = 8_000;
/** A source of this name is defined nowhere. */
const UNKNOWN = "unknown";

let last: { asked: Json; beganMs: number; endedMs: number | null } | null = null;

/** A refusal, or what it would come to. */
export function reparseCost(asked: Json): Reply {
  if (sourcesOf(asked).includes(UNKNOWN)) return refusal(400, "source_unknown", `no source ${UNKNOWN} is defined`);
  return { body: COST };
}

export function beginReparse(asked: Json): Reply {
  if (last && !isOver()) return refusal(429, "reparse_busy", "records are being parsed again; wait for it, or stop it");
  last = { asked: { sources: sourcesOf(asked), from: asked.from ?? null, until: asked.until ?? null }, beganMs: Date.now(), endedMs: null };
  return { ...reparse(), status: 202 };
}

export function reparse(): Reply {
  if (!last) return refusal(404, "reparse_none", "no record was parsed again since the process began");
  const ms = Math.min(RUN_MS, (last.endedMs ?? Date.now()) - last.beganMs);
  const share = ms / RUN_MS;
  return {
    body: {
      state: last.endedMs !== null ? "cancelled" : share === 1 ? "done" : "running",
      asked: last.asked,
      cost: COST,
      partitions_done: Math.floor(PARTS * share),
      records: Math.floor(COST.records * share),
      ms,
      by: "admin",
      time_dt: new Date(last.beganMs).toISOString(),
      code: null,
      detail: null,
    },
  };
}

export function endReparse(): Reply {
  if (!last || isOver()) return refusal(404, "reparse_none", "nothing is being parsed again");
  last.endedMs = Date.now();
  return { status: 204 };
}

function isOver(): boolean {
  return last === null || last.endedMs !== null || Date.now() - last.beganMs >= RUN_MS;
}

function sourcesOf(asked: Json): string[] {
  return (asked.sources as string[] | undefined) ?? [];
}

function refusal(status: number, code: string, detail: string): Reply {
  return { status, body: { type: "about:blank", title: code.replaceAll("_", " "), status, code, detail } };
}
