// Completion for both languages: fields and their values in searches, whatever the server says in pipes.
import { type Completion, type CompletionContext, type CompletionResult, type CompletionSource, pickedCompletion } from "@codemirror/autocomplete";
import type { QueryClient } from "@tanstack/react-query";
import { request } from "@/api/client";
import { facetsQuery, fieldsQuery } from "@/api/queries";
import type { Completions } from "@/api/types";
import { oneLine } from "@/lib/raw";
import { short } from "@/lib/number";
import { term } from "@/lib/query-text";
import { SHORT_NAMES, type ShortName, shortNames } from "../short-names";
import { contextAt } from "./context";

const TIMES = ["-15m", "-1h", "-4h", "-24h", "-7d", "-30d", "-1d@d", "now"];
const VALUES_MAX = 50;
const VALUES_FRESH_MS = 60_000;

export interface SearchWords {
  /** What a short name stands for, in the viewer's language. */
  short: (name: ShortName) => string;
  /** The search whose events give the values. */
  scope: () => string;
}

export function searchCompletion(client: QueryClient, words: SearchWords): CompletionSource {
  return async (context) => {
    const text = context.state.doc.toString();
    const at = contextAt(text, context.pos);
    if (!at) return null;
    if (at.kind === "value") return values(client, at.field, at.from, words.scope());
    if (at.typed === "" && !context.explicit) return null;
    return { from: at.from, options: await names(client, words), validFor: /^[\w.]*$/ };
  };
}

async function names(client: QueryClient, words: SearchWords): Promise<Completion[]> {
  const known = new Set<string>(SHORT_NAMES);
  const list: Completion[] = SHORT_NAMES.map((name) => field(name, words.short(name), 50));
  const fields = await client.ensureQueryData(fieldsQuery()).catch(() => ({ items: [] }));
  for (const [name, stands] of shortNames(fields.items)) {
    if (!known.has(name)) list.push(field(name, stands, 30));
    known.add(name);
  }
  for (const { name, path, doc } of fields.items) {
    for (const [label, boost] of [[name, 10], [path, 0]] as const) {
      if (!known.has(label)) list.push(field(label, doc, boost));
      known.add(label);
    }
  }
  return list;
}

function field(label: string, detail: string, boost: number): Completion {
  const apply: Completion["apply"] = (view, completion, from, to) => {
    const behind = view.state.sliceDoc(to, to + 1) === ":" ? "" : ":";
    view.dispatch({
      changes: { from, to, insert: label + behind },
      selection: { anchor: from + label.length + 1 },
      userEvent: "input.complete",
      annotations: pickedCompletion.of(completion),
    });
  };
  return { label, detail, boost, apply };
}

async function values(client: QueryClient, name: string, from: number, scope: string): Promise<CompletionResult | null> {
  if (name === "earliest" || name === "latest") {
    return { from, options: TIMES.map((label, i) => ({ label, boost: -i })), validFor: /^[-+\w@]*$/ };
  }
  const query = { ...facetsQuery({ query: scope, fields: [name], top: VALUES_MAX }), staleTime: VALUES_FRESH_MS, retry: false };
  const found = await client.fetchQuery(query).catch(() => null);
  const all = found?.facets[0]?.values ?? [];
  if (all.length === 0) return null;
  const options = all.map(({ value, count }, i): Completion => {
    const written = term("x", value).slice(2);
    return { label: oneLine(value), detail: short(count), boost: -i, apply: `${written} ` };
  });
  return { from, options, filter: true, validFor: /^"?[^\s()"]*$/ };
}

/** The server completes pipes; offsets are UTF-16 units on both sides. */
export function pipeCompletion(): CompletionSource {
  return async (context: CompletionContext) => {
    const before = context.matchBefore(/[\w.]+$/);
    const opens = /[|;(,]\s*$|^$/.test(context.state.sliceDoc(0, context.pos));
    if (!before && !opens && !context.explicit) return null;
    const body = { query: context.state.doc.toString(), offset: context.pos };
    const found = await request<Completions>("POST", "/query/complete", { body }).catch(() => null);
    if (!found || found.items.length === 0 || context.aborted) return null;
    const options = found.items.map((item, i): Completion => ({ label: item.label, detail: item.doc, type: item.kind, boost: -i }));
    return { from: found.from, options };
  };
}
