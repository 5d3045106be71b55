// The incident queue: open ones first, filters in the address, a preview beside it.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Page } from "@/app/Page";
import { incidentsQuery } from "@/api/queries";
import type { IncidentState, IncidentSummary, IncidentVerdict } from "@/api/types";
import { Button, DataTable, Empty, Icon, Kbd, Loaded, Panel, type Sort } from "@/components";
import { count } from "@/lib/number";
import { DecisionDialog, type DecisionStart } from "./decision/DecisionDialog";
import type { Held } from "./decision/held";
import { OwnerDialog } from "./decision/OwnerDialog";
import { RefusedDialog } from "./decision/RefusedDialog";
import type { Refusal } from "./decision/useDecide";
import { useMe } from "./decision/useMe";
import { useTake } from "./decision/useTake";
import styles from "./IncidentsPage.module.css";
import { Peek } from "./Peek";
import { isDone, keyOf, queueOf, severitiesOf, type StateFilter } from "./queue";
import { QueueFilters } from "./QueueFilters";
import { useQueueColumns } from "./queueColumns";
import { incidentsRoute, type IncidentsSearch } from "./route";
import { useIncidentKeys } from "./useIncidentKeys";

export function IncidentsPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const search = incidentsRoute.useSearch();
  const { state = "open", peek } = search;
  const set = (part: IncidentsSearch) => void navigate({ to: "/incidents", search: { ...search, ...part }, replace: true });

  const me = useMe();
  const query = useInfiniteQuery(incidentsQuery(state === "done" || state === "all" ? "all" : "open"));
  useAllPages(query);
  const all = useMemo(() => (query.data?.pages ?? []).flatMap((page) => page.items), [query.data]);
  const filter = useMemo(
    () => ({ state, severities: severitiesOf(search.severity), owner: search.owner, me, text: search.filter ?? "" }),
    [state, search.severity, search.owner, me, search.filter],
  );
  const rows = useMemo(() => queueOf(all, filter), [all, filter]);

  const [active, setActive] = useState<string | undefined>(peek);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [deciding, setDeciding] = useState<DecisionStart>();
  const [giving, setGiving] = useState<readonly Held[]>();
  const [refusals, setRefusals] = useState<Refusal[]>([]);
  const table = useRef<HTMLDivElement>(null);
  const [epoch, setEpoch] = useState(0);
  const { take } = useTake(setRefusals);
  const targets = targetsOf(all, selected, active);

  const onActive = (key: string | undefined) => {
    if (key === undefined && peek) return set({ peek: undefined });
    setActive(key);
    if (peek && key) set({ peek: key });
  };
  const onDecided = (decided: IncidentState | undefined) => {
    const gone = new Set(decided && isDone(decided) && state !== "all" ? deciding?.targets.map(keyOf) : []);
    setDeciding(undefined);
    if (decided) setSelected(new Set());
    if (gone.size === 0) return;
    const next = rows.slice(rows.findIndex((row) => keyOf(row) === active) + 1).find((row) => !gone.has(keyOf(row)));
    setActive(next && keyOf(next));
    if (peek) set({ peek: next && keyOf(next) });
    setEpoch(epoch + 1);
  };
  const onPeek = (row: IncidentSummary) => set({ peek: peek === keyOf(row) ? undefined : keyOf(row) });
  const open = (row: IncidentSummary) => void navigate({ to: "/incidents/$id", params: { id: row.id }, search: { of: row.tenant } });
  const onSelect = (key: string) =>
    setSelected((old) => {
      const next = new Set(old);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  const propose = (verdict?: IncidentVerdict) => targets.length > 0 && setDeciding({ targets, verdict });
  useEffect(() => {
    if (epoch > 0) table.current?.querySelector<HTMLElement>("[role=grid]")?.focus();
  }, [epoch]);
  useIncidentKeys({
    propose,
    letters: { v: () => propose(), a: () => targets.length > 0 && take(targets), o: () => targets.length > 0 && setGiving(targets) },
  });

  const shown = peek ? rows.find((row) => keyOf(row) === peek) ?? all.find((row) => keyOf(row) === peek) : undefined;
  const columns = useQueueColumns(shown !== undefined, all);
  return (
    <Page title={t("page.incidents")} fill>
      <QueueFilters all={all} filter={filter} onChange={set} complete={!query.hasNextPage} />
      <div className={styles.layout}>
        <div ref={table} className={styles.main}>
          <Panel flush className={styles.list}>
            <Loaded query={query} rows={22}>
              {() => (
                <DataTable
                  // Rows are held while somebody is at them, but not over a change of the filters.
                  key={JSON.stringify([epoch, state, search.severity, search.owner, search.filter])}
                  name="incidents"
                  label={t("incidents.queue")}
                  columns={columns}
                  rows={rows}
                  rowId={keyOf}
                  activeId={active}
                  onActive={onActive}
                  onOpen={open}
                  onPeek={onPeek}
                  selected={selected}
                  onSelect={onSelect}
                  sort={sortOf(search.sort)}
                  onSort={(sort) => set({ sort: sort && `${sort.desc ? "-" : ""}${sort.id}` })}
                  live
                  primary
                  loadingMore={query.isFetchingNextPage}
                  empty={<NoRows filtered={filter.text !== "" || filter.severities.length > 0 || filter.owner !== undefined} state={state} onClear={() => set({ filter: undefined, severity: undefined, owner: undefined })} />}
                />
              )}
            </Loaded>
            <footer className={styles.foot}>
              {selected.size > 0 ? (
                <>
                  <span role="status">{t("incidents.selected", { count: selected.size })}</span>
                  <Button kind="quiet" onPress={() => setSelected(new Set())}>
                    {t("incidents.select_none")}
                  </Button>
                  <span className={styles.space} />
                  <Button onPress={() => setGiving(targets)}>{t("incidents.give")}</Button>
                  <Button onPress={() => take(targets)}>{t("incidents.take")}</Button>
                  <Button kind="primary" onPress={() => propose()}>
                    {t("incidents.decide")}
                  </Button>
                </>
              ) : (
                <>
                  <span role="status">{t("incidents.shown", { shown: count(rows.length), count: all.length, total: count(all.length) })}</span>
                  <span className={styles.space} />
                  <KeyHints />
                </>
              )}
            </footer>
          </Panel>
        </div>
        {shown && (
          <Peek
            key={keyOf(shown)}
            incident={shown}
            onClose={() => set({ peek: undefined })}
            onPropose={(verdict) => setDeciding({ targets: [shown], verdict })}
            onTake={() => take([shown])}
            onGive={() => setGiving([shown])}
          />
        )}
      </div>
      {deciding && <DecisionDialog start={deciding} onClose={onDecided} />}
      {giving && (
        <OwnerDialog
          targets={giving}
          known={[...new Set(all.flatMap((one) => one.owner ?? []))]}
          onClose={(given) => {
            setGiving(undefined);
            if (given) setSelected(new Set());
          }}
        />
      )}
      {refusals.length > 0 && (
        <RefusedDialog
          refusals={refusals}
          onClose={() => setRefusals([])}
          onDecide={() => {
            setDeciding({ targets: refusals.map((one) => one.target) });
            setRefusals([]);
          }}
        />
      )}
    </Page>
  );
}

/** The keys that triage is done with; the help has all of them. */
function KeyHints() {
  const { t } = useTranslation();
  return (
    <span className={styles.hints} aria-hidden="true">
      <Kbd>Space</Kbd> {t("incidents.hint_preview")}
      <Kbd>x</Kbd> {t("incidents.hint_select")}
      <Kbd>a</Kbd> {t("incidents.take")}
      <Kbd>1–8</Kbd> {t("incidents.decide")}
      <Kbd>?</Kbd> {t("account.help")}
    </span>
  );
}

/** Filters look at what is loaded, so all of it is loaded. */
function useAllPages(query: { hasNextPage: boolean; isFetching: boolean; isError: boolean; fetchNextPage: () => unknown }): void {
  const { hasNextPage, isFetching, isError, fetchNextPage } = query;
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError) void fetchNextPage();
  }, [hasNextPage, isFetching, isError, fetchNextPage]);
}

/** What a change is about: the selected incidents, else the active one. */
function targetsOf(all: readonly IncidentSummary[], selected: ReadonlySet<string>, active: string | undefined): IncidentSummary[] {
  const keys = selected.size > 0 ? selected : new Set(active === undefined ? [] : [active]);
  return all.filter((one) => keys.has(keyOf(one)));
}

function sortOf(text: string | undefined): Sort | undefined {
  if (text === undefined) return undefined;
  return text.startsWith("-") ? { id: text.slice(1), desc: true } : { id: text, desc: false };
}

function NoRows({ filtered, state, onClear }: { filtered: boolean; state: StateFilter; onClear: () => void }) {
  const { t } = useTranslation();
  if (!filtered && state === "open") {
    return (
      <div className={styles.clear} role="status">
        <Icon name="check" size={20} />
        <p>{t("incidents.all_clear")}</p>
        <p className="muted">{t("incidents.all_clear_detail")}</p>
      </div>
    );
  }
  return (
    <Empty reason={filtered ? "match" : "data"}>
      {filtered && <Button onPress={onClear}>{t("incidents.filters_clear")}</Button>}
    </Empty>
  );
}
