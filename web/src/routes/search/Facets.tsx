// Fields at the side: their most frequent values with counts, to include or exclude.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { request } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import type { Facets as Counted } from "@/api/types";
import { Button, Icon, Skeleton } from "@/components";
import { count, short } from "@/lib/number";
import { term } from "@/lib/query-text";
import { oneLine } from "@/lib/raw";
import { FieldPicker } from "./FieldPicker";
import { FIELDS_MAX } from "./fields";
import { inTurn } from "./in-turn";
import { hasTerm, toggled } from "./terms";
import styles from "./Facets.module.css";

type Values = Counted["facets"][number]["values"];

/** Put together of several fields. */
const NOT_COUNTED: readonly string[] = ["src", "dst"];
const AT_ONCE = 2;
const turn = inTurn(AT_ONCE);
const SHORT_TOP = 5;
const LONG_TOP = 50;

export interface FacetsProps {
  fields: readonly string[];
  onFields: (fields: string[]) => void;
  /** The search with its range of time; `undefined` while there is none to count. */
  counted: string | undefined;
  /** The search itself was refused and says so. */
  quiet: boolean;
  /** How many events match; for the bars. */
  total: number | undefined;
  /** The search without its range, that terms are added to. */
  query: string;
  onQuery: (query: string) => void;
  columns: readonly string[];
  onColumns: (columns: string[]) => void;
}

export function Facets(props: FacetsProps) {
  const { t } = useTranslation();
  return (
    <section className={styles.side} aria-label={t("search.facets.label")}>
      <header className={styles.head}>
        <h2>{t("search.facets.label")}</h2>
        <FieldPicker label={t("search.facets.choose")} chosen={props.fields} most={FIELDS_MAX} without={NOT_COUNTED} own={false} onChange={props.onFields} />
      </header>
      <div className={styles.list}>
        {props.fields.map((field) => (
          <Field key={field} field={field} all={props} />
        ))}
      </div>
    </section>
  );
}

/** A field's values, asked for a few fields at a time: events matter more than their counts. */
function useValues(field: string, top: number, query: string | undefined, enabled: boolean) {
  return useQuery<Values>({
    queryKey: ["facets", query, field, top],
    queryFn: ({ signal }) =>
      turn(signal, () => request<Counted>("POST", "/events/facets", { signal, body: { query, fields: [field], top } })).then((found) => found.facets[0]?.values ?? []),
    enabled: enabled && query !== undefined,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    retry: false,
  });
}

function Field({ field, all }: { field: string; all: FacetsProps }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(true);
  const [more, setMore] = useState(false);
  const found = useValues(field, SHORT_TOP + 1, all.counted, open);
  const long = useValues(field, LONG_TOP, all.counted, open && more);
  const values = found.data ?? [];
  const shown = more && long.data ? long.data : values.slice(0, SHORT_TOP);
  const counted = found.data !== undefined && !found.error;
  const top = Math.max(all.total ?? 0, values[0]?.count ?? 1);
  const isColumn = all.columns.includes(field);
  const toggleColumn = () => all.onColumns(isColumn ? all.columns.filter((name) => name !== field) : [...all.columns, field]);
  const add = (value: string, exclude: boolean) => all.onQuery(toggled(all.query, term(field, value), exclude));
  return (
    <section className={styles.field}>
      <header className={styles.fieldHead}>
        <button type="button" className={styles.fold} aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name={open ? "down" : "right"} size={12} />
          <span className="clip">{field}</span>
        </button>
        <button
          type="button"
          className={styles.act}
          aria-pressed={isColumn}
          title={t(isColumn ? "search.facets.column_off" : "search.facets.column_on", { field })}
          aria-label={t(isColumn ? "search.facets.column_off" : "search.facets.column_on", { field })}
          onClick={toggleColumn}
        >
          <Icon name="columns" size={14} />
        </button>
      </header>
      {open && !found.data && found.isFetching && <Skeleton rows={2} rowHeight={22} silent />}
      {open && found.error && !all.quiet && (
        <p className={styles.note} role="alert">
          {t("search.facets.failed")} <code>{found.error instanceof ApiProblem ? found.error.code : found.error.name}</code>
          <Button kind="quiet" icon="refresh" hint={t("state.retry")} onPress={() => void found.refetch()} />
        </p>
      )}
      {open && counted && shown.length === 0 && <p className={styles.none}>{t("search.facets.none")}</p>}
      {open && shown.length > 0 && (
        <ul aria-label={field} data-stale={found.isPlaceholderData || found.error !== null || undefined}>
          {shown.map(({ value, count: n }) => (
            <li key={value} className={styles.value}>
              <span className={styles.bar} style={{ width: `${Math.max(1, (n / top) * 100)}%` }} aria-hidden="true" />
              <button
                type="button"
                className={styles.include}
                aria-pressed={hasTerm(all.query, term(field, value))}
                title={t("search.facets.include", { field, value: oneLine(value), count: n, number: count(n) })}
                onClick={() => add(value, false)}
              >
                <bdi className="clip">{value === "" ? t("search.facets.empty") : oneLine(value)}</bdi>{" "}
                <span className={styles.count}>{short(n)}</span>
              </button>
              <button
                type="button"
                className={styles.act}
                title={t("search.facets.exclude", { field, value: oneLine(value) })}
                aria-label={t("search.facets.exclude", { field, value: oneLine(value) })}
                onClick={() => add(value, true)}
              >
                <Icon name="minus" size={14} />
              </button>
            </li>
          ))}
        </ul>
      )}
      {open && values.length > SHORT_TOP && (
        <button type="button" className={styles.more} onClick={() => setMore(!more)} aria-expanded={more}>
          {more ? t("search.facets.fewer") : t("search.facets.more")}
          {more && long.isFetching && "…"}
          {more && shown.length >= LONG_TOP && <span className="muted"> {t("search.facets.top", { count: LONG_TOP })}</span>}
        </button>
      )}
    </section>
  );
}
