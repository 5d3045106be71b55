// What is run over the past: a pasted rule or rules in force, a range of time, what it would cost, and the start.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { make, request, requestTenant } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import { ruleHuntsQuery } from "@/api/queries";
import type { RuleHunt, RuleHuntCost, RuleHuntRequest } from "@/api/types";
import { Button, ErrorState } from "@/components";
import { keep, kept } from "@/lib/kept";
import { count } from "@/lib/number";
import { HuntAsk, HuntRow } from "../HuntFrame";
import { TimeRange } from "../TimeRange";
import { useView } from "../useView";
import { ChosenRules, RulePicker } from "./ChosenRules";
import { CostPanel } from "./CostPanel";
import { Fault } from "./Fault";
import { faultOf, idsOf, idsText, requestOf } from "./rule-hunt";
import styles from "./RuleHunt.module.css";

const RuleEditor = lazy(() => import("./RuleEditor").then((module) => ({ default: module.RuleEditor })));

/** Longer texts do not go into the address; they stay in this tab. */
const LINK_CHARS_MAX = 2_000;
const KEPT = "yagura.hunt.rule";

interface Asked {
  /** What was asked for, as it stood on the page. */
  key: string;
  request: RuleHuntRequest;
}

/** `head` stands above. */
export function RuleAsk({ head }: { head: ReactNode }) {
  const { t } = useTranslation();
  const { view, set } = useView();
  const ids = useMemo(() => idsOf(view.rule), [view.rule]);
  const [text, setText] = useState(view.sigma ?? kept(KEPT));
  const [goTo, setGoTo] = useState<{ line: number } | null>(null);
  const { from, until } = view;
  const key = JSON.stringify([ids.length > 0 ? ids : text, from, until, requestTenant()]);
  const ask = useAsk(key);
  const asked = requestOf(ids, text, { from, until }, Date.now());
  const blank = ids.length === 0 && text.trim() === "";
  const blocked = blank ? t("search.hunt.rules.paste_first") : asked === null ? t("search.time.bad") : undefined;
  const showCost = () => {
    if (blocked || !asked || ask.busy) return;
    keep(KEPT, text);
    const sigma = ids.length === 0 && text.length <= LINK_CHARS_MAX ? text : undefined;
    set({ sigma }, true);
    ask.cost({ key, request: asked });
  };
  const go = () => (ask.costed ? ask.run(ask.costed) : showCost());
  const choose = (next: readonly string[]) => set({ by: "rules", rule: idsText(next), sigma: undefined });
  const fault = ids.length === 0 && ask.error instanceof ApiProblem ? faultOf(ask.error) : null;
  return (
    <HuntAsk label={t("search.hunt.rules.ask")}>
      {head}
      {ids.length > 0 ? (
        <ChosenRules ids={ids} onChange={choose} />
      ) : (
        <div className={styles.editor} data-fault={fault !== null || undefined}>
          <Suspense fallback={<pre className={styles.waiting}>{text}</pre>}>
            <RuleEditor
              label={t("search.hunt.rules.paste")}
              placeholder={t("search.hunt.rules.placeholder")}
              value={text}
              onChange={setText}
              onRun={go}
              fault={fault?.line}
              goTo={goTo}
            />
          </Suspense>
        </div>
      )}
      <HuntRow>
        <TimeRange range={{ from, until }} onChange={(range) => set({ from: range.from, until: range.until }, true)} />
        <RulePicker chosen={ids} onChange={choose} />
      </HuntRow>
      <HuntRow>
        {ask.costed ? (
          <Button kind="primary" icon="play" onPress={go} isDisabled={ask.busy}>
            {t("search.hunt.rules.run")}
          </Button>
        ) : (
          <Button kind="primary" onPress={showCost} isDisabled={Boolean(blocked) || ask.busy} {...(blocked && { hint: blocked })}>
            {t("search.hunt.rules.show_cost")}
          </Button>
        )}
        {ids.length === 0 && text.length > LINK_CHARS_MAX && <span className="muted">{t("search.hunt.not_in_link")}</span>}
      </HuntRow>
      {fault && <Fault fault={fault} text={text} onGoTo={(line) => setGoTo({ line })} />}
      {ask.error && !fault && <ErrorState error={ask.error} />}
      <span className="visually-hidden" role="status">
        {ask.costed && `${t("search.hunt.rules.cost")}: ${t("search.hunt.rules.records")} ${t("search.hunt.rules.at_most", { number: count(ask.costed.cost.records) })}`}
      </span>
      {ask.costed ? <CostPanel cost={ask.costed.cost} /> : !ask.error && <p className={styles.help}>{t("search.hunt.rules.help")}</p>}
    </HuntAsk>
  );
}

/** The cost of what stands on the page and the run of it; what was said of something else is not shown. */
function useAsk(key: string) {
  const client = useQueryClient();
  const { set } = useView();
  const cost = useMutation({
    mutationFn: async (asked: Asked) => ({ ...asked, cost: await request<RuleHuntCost>("POST", "/rule-hunts/cost", { body: asked.request }) }),
    onMutate: () => run.reset(),
  });
  const run = useMutation({
    mutationFn: (asked: Asked) => make<RuleHunt>("/rule-hunts", { body: asked.request }),
    onSuccess: async (begun) => {
      await client.invalidateQueries({ queryKey: ruleHuntsQuery().queryKey });
      set({ by: "rules", run: begun.id, finding: undefined });
    },
  });
  const ofThis = (asked: Asked | undefined) => asked?.key === key;
  return {
    cost: cost.mutate,
    run: run.mutate,
    busy: cost.isPending || run.isPending,
    costed: ofThis(cost.data) ? cost.data : undefined,
    error: (ofThis(run.variables) && run.error) || (ofThis(cost.variables) && cost.error) || null,
  };
}
