// The list of rules with what they found, their noise and their faults, below the coverage of ATT&CK.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { rulesQuery } from "@/api/queries";
import type { RuleSummary } from "@/api/types";
import { Page } from "@/app/Page";
import { Button, type Column, DataTable, Empty, Icon, Loaded, Panel, SearchField, type Sort } from "@/components";
import { useWord } from "@/i18n/words";
import { count } from "@/lib/number";
import { useStable } from "@/lib/useStable";
import { Choice } from "./Choice";
import { CoverageStrip } from "./CoverageStrip";
import styles from "./Detections.module.css";
import { FaultPanel, type FaultyRule } from "./FaultPanel";
import { detectionsRoute, type DetectionsSearch } from "./route";
import { countsByState, keyOf, LEVELS, rulesShown, sortOf, sortText, STATES } from "./rules";
import { SwitchDialog } from "./SwitchDialog";
import { useFaultColumns, useRuleColumns } from "./useRuleColumns";

const DEFAULT_SORT = "-findings";
const NO_FILTER: DetectionsSearch = { filter: undefined, level: undefined, state: undefined, tactic: undefined, fault: undefined };

type Change = (part: DetectionsSearch) => void;

export function DetectionsPage() {
  const { t } = useTranslation();
  const query = useQuery(rulesQuery());
  return (
    <Page title={t("page.detections")} fill>
      <Loaded query={query} rows={22}>
        {(page) => <Rules rules={page.items} />}
      </Loaded>
    </Page>
  );
}

function Rules({ rules }: { rules: RuleSummary[] }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const search = detectionsRoute.useSearch();
  const change = useStable((part: DetectionsSearch) => void navigate({ to: ".", search: (old) => ({ ...old, ...part }), replace: true }));
  const open = useStable((rule: RuleSummary) => rule.id && void navigate({ to: "/detections/$id", params: { id: rule.id } }));
  const { level, state, tactic } = search;
  const text = search.filter ?? "";
  const shown = useMemo(() => rulesShown(rules, { text, level, state, tactic }), [rules, text, level, state, tactic]);
  const total = useMemo(() => rules.reduce((sum, rule) => sum + rule.findings, 0), [rules]);
  const [switching, setSwitching] = useState<string>();
  const columns = useRuleColumns(total, setSwitching);
  const reset = () => change(NO_FILTER);
  const empty = (
    <Empty reason={rules.length === 0 ? "data" : "match"}>
      {rules.length === 0 ? <p>{t("detections.no_rules")}</p> : <Button onPress={reset}>{t("detections.reset")}</Button>}
    </Empty>
  );
  const onSort = (next: Sort | undefined) => change({ sort: sortText(next) });
  return (
    <div className={styles.page}>
      <CoverageStrip rules={rules} chosen={tactic} onChoose={(next) => change({ tactic: next })} />
      <Panel className={styles.list} flush>
        <Bar rules={rules} shown={shown.length} total={total} change={change} />
        {state === "broken" ? (
          <FaultyRules rules={rules} shown={shown} change={change} onSort={onSort} empty={empty} />
        ) : (
          <DataTable
            name="detections"
            label={t("page.detections")}
            columns={columns}
            rows={shown}
            rowId={keyOf}
            onOpen={open}
            sort={sortAmong(columns, search.sort)}
            onSort={onSort}
            primary
            live
            empty={empty}
          />
        )}
      </Panel>
      {switching !== undefined && <SwitchDialog id={switching} onClose={() => setSwitching(undefined)} />}
    </div>
  );
}

/** The rules that could not be loaded, and what is wrong with the one in the address. */
function FaultyRules({ rules, shown, change, onSort, empty }: {
  rules: readonly RuleSummary[];
  shown: readonly RuleSummary[];
  change: Change;
  onSort: (sort: Sort | undefined) => void;
  empty: ReactNode;
}) {
  const { t } = useTranslation();
  const { fault, sort } = detectionsRoute.useSearch();
  const panel = useRef<HTMLElement>(null);
  const columns = useFaultColumns(fault !== undefined);
  const choose = useStable((key: string | undefined) => change({ fault: key }));
  const explain = useStable(() => panel.current?.focus());
  const chosen = useMemo(() => rules.filter(isFaulty).find((rule) => keyOf(rule) === fault), [rules, fault]);
  return (
    <div className={styles.faults} data-open={fault !== undefined || undefined}>
      <DataTable
        name="detections.faulty"
        label={t("detections.faulty")}
        columns={columns}
        rows={shown}
        rowId={keyOf}
        activeId={fault}
        onActive={choose}
        onOpen={explain}
        sort={sortAmong(columns, sort)}
        onSort={onSort}
        primary
        live
        empty={empty}
      />
      {fault !== undefined && <FaultPanel key={fault} rule={chosen} box={panel} onClose={() => choose(undefined)} />}
    </div>
  );
}

/** Filters, and how many rules there are, pass them and could not be loaded. */
function Bar({ rules, shown, total, change }: { rules: readonly RuleSummary[]; shown: number; total: number; change: Change }) {
  const { t } = useTranslation();
  const word = useWord();
  const { filter: text, level, state, tactic } = detectionsRoute.useSearch();
  const counts = countsByState(rules, { text: text ?? "", level, state, tactic });
  const faulty = useMemo(() => rules.filter(isFaulty).length, [rules]);
  return (
    <div className={styles.bar} role="search" aria-label={t("detections.filters")}>
      <div className={styles.field}>
        <SearchField label={t("detections.filter")} value={text ?? ""} live filter onSubmit={(next) => change({ filter: next || undefined })} />
      </div>
      <Choice
        label={t("detections.state")}
        chosen={state}
        onChoose={(next) => change({ state: next, fault: undefined })}
        entries={STATES.map((id) => ({ id, text: t(`detections.state_${id}`), count: counts[id], bad: id === "broken" && counts[id] > 0 }))}
      />
      <Choice
        label={t("severity.label")}
        chosen={level}
        onChoose={(next) => change({ level: next })}
        entries={LEVELS.map((id) => ({ id, text: word("severity", id) }))}
      />
      {(text || level || state || tactic) && (
        <Button kind="quiet" icon="close" onPress={() => change(NO_FILTER)}>
          {t("detections.reset")}
        </Button>
      )}
      {faulty > 0 && state !== "broken" && (
        <Link to="/detections" search={{ state: "broken" }} className={styles.faulty}>
          <Icon name="warning" size={14} />
          {t("detections.faults", { count: faulty, number: count(faulty) })}
        </Link>
      )}
      <span className={styles.total}>{t("detections.total", { shown: count(shown), all: count(rules.length), findings: count(total) })}</span>
    </div>
  );
}

function isFaulty(rule: RuleSummary): rule is FaultyRule {
  return rule.error !== null;
}

/** The order asked for, where the table has the column. */
function sortAmong(columns: readonly Column<RuleSummary>[], asked: string | undefined): Sort | undefined {
  const sort = sortOf(asked ?? DEFAULT_SORT);
  return columns.some((column) => column.id === sort?.id) ? sort : undefined;
}
