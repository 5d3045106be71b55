// The list of rules with what they found, their noise and their faults, below the coverage of ATT&CK.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { rulesQuery } from "@/api/queries";
import type { RuleSummary } from "@/api/types";
import { Page } from "@/app/Page";
import { Button, DataTable, Empty, Loaded, Panel, SearchField } from "@/components";
import { useWord } from "@/i18n/words";
import { count } from "@/lib/number";
import { useStable } from "@/lib/useStable";
import { Choice } from "./Choice";
import { CoverageStrip } from "./CoverageStrip";
import styles from "./Detections.module.css";
import { detectionsRoute, type DetectionsSearch } from "./route";
import { countsByState, keyOf, LEVELS, rulesShown, sortOf, sortText, STATES } from "./rules";
import { SwitchDialog } from "./SwitchDialog";
import { useFaultColumns, useRuleColumns } from "./useRuleColumns";

const DEFAULT_SORT = "-findings";

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
  const word = useWord();
  const navigate = useNavigate();
  const search = detectionsRoute.useSearch();
  const change = useStable((part: DetectionsSearch) => void navigate({ to: ".", search: (old) => ({ ...old, ...part }), replace: true }));
  const open = useStable((rule: RuleSummary) => rule.id && void navigate({ to: "/detections/$id", params: { id: rule.id } }));
  const filter = { text: search.filter ?? "", level: search.level, state: search.state, tactic: search.tactic };
  const { text, level, state, tactic } = filter;
  const shown = useMemo(() => rulesShown(rules, { text, level, state, tactic }), [rules, text, level, state, tactic]);
  const total = useMemo(() => rules.reduce((sum, rule) => sum + rule.findings, 0), [rules]);
  const counts = countsByState(rules, filter);
  const [switching, setSwitching] = useState<string>();
  const ruleColumns = useRuleColumns(total, setSwitching);
  const faultColumns = useFaultColumns();
  const faulty = state === "broken";
  const columns = faulty ? faultColumns : ruleColumns;
  const asked = sortOf(search.sort ?? DEFAULT_SORT);
  const sort = columns.some((column) => column.id === asked?.id) ? asked : undefined;
  const filtered = Boolean(search.filter || level || state || tactic);
  const reset = () => change({ filter: undefined, level: undefined, state: undefined, tactic: undefined });
  return (
    <div className={styles.page}>
      <CoverageStrip rules={rules} chosen={tactic} onChoose={(next) => change({ tactic: next })} />
      <Panel className={styles.list} flush>
        <div className={styles.bar}>
          <div className={styles.field}>
            <SearchField label={t("detections.filter")} value={text} live filter onSubmit={(next) => change({ filter: next || undefined })} />
          </div>
          <Choice
            label={t("detections.state")}
            chosen={state}
            onChoose={(next) => change({ state: next })}
            entries={STATES.map((id) => ({ id, text: t(`detections.state_${id}`), count: counts[id], bad: id === "broken" && counts[id] > 0 }))}
          />
          <Choice
            label={t("severity.label")}
            chosen={level}
            onChoose={(next) => change({ level: next })}
            entries={LEVELS.map((id) => ({ id, text: word("severity", id) }))}
          />
          {filtered && (
            <Button kind="quiet" icon="close" onPress={reset}>
              {t("detections.reset")}
            </Button>
          )}
          <span className={styles.total}>
            {t("detections.total", { shown: count(shown.length), all: count(rules.length), findings: count(total) })}
          </span>
        </div>
        <DataTable
          key={faulty ? "faulty" : "all"}
          name={faulty ? "detections.faulty" : "detections"}
          label={t("page.detections")}
          columns={columns}
          rows={shown}
          rowId={keyOf}
          onOpen={open}
          sort={sort}
          onSort={(next) => change({ sort: sortText(next) })}
          primary
          live
          empty={
            <Empty reason={rules.length === 0 ? "data" : "match"}>
              {rules.length === 0 ? <p>{t("detections.no_rules")}</p> : <Button onPress={reset}>{t("detections.reset")}</Button>}
            </Empty>
          }
        />
      </Panel>
      {switching !== undefined && <SwitchDialog id={switching} onClose={() => setSwitching(undefined)} />}
    </div>
  );
}
