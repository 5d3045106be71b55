// Whoever findings name, the most suspect first.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Page } from "@/app/Page";
import { entitiesQuery } from "@/api/queries";
import type { EntitySummary } from "@/api/types";
import { Age, Button, type Column, DataTable, Empty, Loaded, Panel, SearchField, VerdictMark } from "@/components";
import { useWord } from "@/i18n/words";
import { count, percent, signed } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import styles from "./EntitiesPage.module.css";
import { entitiesRoute, type EntitiesSearch, KINDS, VERDICT_WORDS } from "./route";
import { OddsBar } from "./OddsBar";

/** The server gives at most this many. */
const ENTITIES_MAX = 10_000;

export function EntitiesPage() {
  const { t } = useTranslation();
  const word = useWord();
  const navigate = useNavigate();
  const search = entitiesRoute.useSearch();
  const { kind, verdict, filter = "", sort } = search;
  const set = (part: EntitiesSearch) => void navigate({ to: "/entities", search: { ...search, ...part }, replace: true });
  const query = useQuery(entitiesQuery({ ...(kind && { kind }), ...(verdict && { verdict }) }));
  const [active, setActive] = useState<string>();
  const items = query.data?.items;
  const rows = useMemo(() => (items ?? []).filter((one) => matches(one, kind, verdict, filter)), [items, kind, verdict, filter]);
  const columns = useColumns(new Set((items ?? []).map((one) => one.tenant)).size > 1);
  const open = (one: EntitySummary) =>
    void navigate({ to: "/entities/$kind/$value", params: { kind: one.kind, value: one.value }, search: { of: one.tenant } });
  return (
    <Page title={t("page.entities")} fill>
      <div className={styles.bar} role="search" aria-label={t("entities.filters")}>
        <Choice label={t("entities.kind")} all={t("entities.all_kinds")} words={KINDS} chosen={kind} onChoose={(next) => set({ kind: next })}>
          {(one) => word("entity_kind", one)}
        </Choice>
        <Choice label={t("verdict.label")} all={t("entities.all_verdicts")} words={VERDICT_WORDS} chosen={verdict} onChoose={(next) => set({ verdict: next })}>
          {(one) => <VerdictMark value={one} />}
        </Choice>
        <div className={styles.words}>
          <SearchField label={t("entities.filter_words")} value={filter} live filter onSubmit={(text) => set({ filter: text || undefined })} />
        </div>
      </div>
      <Panel flush className={styles.list}>
        <Loaded query={query} rows={22}>
          {() => (
            <DataTable
              name="entities"
              label={t("page.entities")}
              columns={columns}
              rows={rows}
              rowId={keyOf}
              activeId={active}
              onActive={setActive}
              onOpen={open}
              sort={sort === undefined ? undefined : { id: sort.replace(/^-/, ""), desc: sort.startsWith("-") }}
              onSort={(next) => set({ sort: next && `${next.desc ? "-" : ""}${next.id}` })}
              live
              primary
              empty={
                <Empty reason={filter || kind || verdict ? "match" : "data"}>
                  {filter || kind || verdict ? (
                    <Button onPress={() => set({ filter: undefined, kind: undefined, verdict: undefined })}>{t("incidents.filters_clear")}</Button>
                  ) : (
                    <p>{t("entities.none")}</p>
                  )}
                </Empty>
              }
            />
          )}
        </Loaded>
        <footer className={styles.foot} role="status">
          {t("entities.shown", { shown: count(rows.length), count: items?.length ?? 0 })}
          {(items?.length ?? 0) >= ENTITIES_MAX && ` · ${t("entities.capped", { most: count(ENTITIES_MAX) })}`}
        </footer>
      </Panel>
    </Page>
  );
}

function Choice<T extends string>({ label, all, words, chosen, onChoose, children }: {
  label: string;
  /** Names the choice of none. */
  all: string;
  words: readonly T[];
  chosen: T | undefined;
  onChoose: (word: T | undefined) => void;
  children: (word: T) => ReactNode;
}) {
  return (
    <div className={styles.group} role="group" aria-label={label}>
      <button type="button" className={styles.choice} aria-pressed={chosen === undefined} onClick={() => onChoose(undefined)}>
        {all}
      </button>
      {words.map((one) => (
        <button key={one} type="button" className={styles.choice} aria-pressed={chosen === one} onClick={() => onChoose(one)}>
          {children(one)}
        </button>
      ))}
    </div>
  );
}

function useColumns(several: boolean): Column<EntitySummary>[] {
  const { t } = useTranslation();
  const word = useWord();
  return useMemo(
    (): Column<EntitySummary>[] => [
      { id: "verdict", header: t("verdict.label"), width: 88, fixed: true, value: (one) => VERDICT_WORDS.indexOf(one.verdict), cell: (one) => <VerdictMark value={one.verdict} /> },
      { id: "kind", header: t("entities.kind"), width: 110, value: (one) => one.kind, cell: (one) => <span>{word("entity_kind", one.kind)}</span> },
      { id: "value", header: t("entities.name"), width: 260, grow: 2, fixed: true, value: (one) => one.value, cell: (one) => <Name entity={one} /> },
      { id: "probability", header: t("entities.probability"), width: 110, align: "end", value: (one) => one.probability, cell: (one) => <span>{percent(one.probability)}</span> },
      { id: "odds", header: t("entities.from_to"), width: 220, grow: 1, cell: (one) => <OddsBar prior={one.prior} posterior={one.posterior} verdict={one.verdict} /> },
      { id: "posterior", header: t("entities.log_odds"), width: 100, align: "end", value: (one) => one.posterior, cell: (one) => <span>{signed(one.posterior)}</span> },
      { id: "tenant", header: t("tenant.label"), width: 120, hidden: !several, value: (one) => one.tenant, cell: (one) => <span>{oneLine(one.tenant)}</span> },
      { id: "as_of", header: t("entities.as_of"), width: 120, align: "end", value: (one) => Date.parse(one.as_of_time_dt), cell: (one) => <Age value={one.as_of_time_dt} /> },
    ],
    [t, several],
  );
}

function Name({ entity }: { entity: EntitySummary }) {
  return (
    <Link className={styles.name} to="/entities/$kind/$value" params={{ kind: entity.kind, value: entity.value }} search={{ of: entity.tenant }} tabIndex={-1}>
      <bdi>{oneLine(entity.value)}</bdi>
    </Link>
  );
}

function keyOf(one: EntitySummary): string {
  return `${one.tenant}/${one.kind}/${one.value}`;
}

function matches(one: EntitySummary, kind: string | undefined, verdict: string | undefined, filter: string): boolean {
  if ((kind && one.kind !== kind) || (verdict && one.verdict !== verdict)) return false;
  const value = `${one.value} ${one.tenant}`.toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => value.includes(word));
}
