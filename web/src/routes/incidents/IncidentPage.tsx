// One incident: what happened, why it is believed, who is in it, the proof, and what was decided.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Page } from "@/app/Page";
import { ApiProblem } from "@/api/problem";
import { decisionsQuery, incidentQuery, notesQuery } from "@/api/queries";
import type { Incident } from "@/api/types";
import { Empty, Loaded } from "@/components";
import { useLocalText } from "@/i18n/words";
import { oneLine } from "@/lib/raw";
import { useCaseText } from "./caseText";
import { DecisionDialog, type DecisionStart } from "./decision/DecisionDialog";
import { type Held, heldOf } from "./decision/held";
import { OwnerDialog } from "./decision/OwnerDialog";
import { RefusedDialog } from "./decision/RefusedDialog";
import type { Refusal } from "./decision/useDecide";
import { useTake } from "./decision/useTake";
import { EvidencePanel } from "./evidence/EvidencePanel";
import { History } from "./History";
import { copyCase, IncidentHeader } from "./IncidentHeader";
import styles from "./IncidentPage.module.css";
import { KillChain } from "./KillChain";
import { focusNote, Notes } from "./Notes";
import { RelationsPanel } from "./relations/RelationsPanel";
import { incidentRoute, type IncidentSearch } from "./route";
import { SummaryPanel } from "./SummaryPanel";
import { entityKey, spanIn, spanOf, spanText, touches, wholeSpan } from "./timeline/lanes";
import { TimelinePanel } from "./timeline/TimelinePanel";
import { useIncidentKeys } from "./useIncidentKeys";
import { usePrintInLight } from "./usePrintInLight";
import { VerdictPanel } from "./VerdictPanel";
import { WhichTenant } from "./WhichTenant";

export function IncidentPage() {
  const { t } = useTranslation();
  const { id } = incidentRoute.useParams();
  const { of } = incidentRoute.useSearch();
  const local = useLocalText();
  const query = useQuery(incidentQuery(id, of));
  const unknown = query.error instanceof ApiProblem && query.error.status === 404;
  const ambiguous = query.error instanceof ApiProblem && query.error.code === "tenant_needed";
  const about = query.data ? oneLine(local(query.data.data.title, query.data.data.title_ja)) : "";
  return (
    <Page title={`${t("page.incident", { id })}${about && ` – ${about}`}`}>
      {unknown && (
        <Empty reason="data">
          <p>{t("incidents.unknown", { id })}</p>
          <Link to="/incidents">{t("incidents.to_queue")}</Link>
        </Empty>
      )}
      {ambiguous && <WhichTenant id={id} />}
      {!unknown && !ambiguous && <Loaded query={query} rows={20}>{(tagged) => <Case incident={tagged.data} />}</Loaded>}
    </Page>
  );
}

function Case({ incident }: { incident: Incident }) {
  const navigate = useNavigate();
  const search = incidentRoute.useSearch();
  const set = (part: IncidentSearch) =>
    void navigate({ to: "/incidents/$id", params: { id: incident.metadata.uid }, search: { ...search, ...part }, replace: true, resetScroll: false });
  const target = heldOf(incident);
  const [deciding, setDeciding] = useState<DecisionStart>();
  const [giving, setGiving] = useState<Held>();
  const [refusals, setRefusals] = useState<Refusal[]>([]);
  const { take } = useTake(setRefusals);
  const notes = useQuery(notesQuery(target.id, target.tenant));
  const decisions = useQuery(decisionsQuery(target.id, target.tenant));
  const text = useCaseText(incident, notes.data?.items ?? [], decisions.data?.items ?? []);
  const owners = useMemo(() => (decisions.data?.items ?? []).flatMap((one) => one.owner ?? []), [decisions.data]);
  usePrintInLight();

  const steps = incident.timeline;
  const whole = useMemo(() => wholeSpan(steps), [steps]);
  const span = useMemo(() => spanIn(search.span) ?? whole, [whole, search.span]);
  const { tactic } = search;
  const shown = useMemo(
    () => steps.filter((step) => touches(step, span) && (tactic === undefined || step.tactics.includes(tactic))),
    [steps, span, tactic],
  );
  const chosen = steps.find((step) => step.finding === search.step);
  const foremost = incident.principals[0] ?? incident.standings[0]?.entity;
  const who = search.who ?? (foremost && entityKey({ value: foremost.value, type: "type" in foremost ? foremost.type : foremost.kind }));

  const choose = (step: string | undefined) => set({ step });
  const bound = (side: "from" | "until") => {
    if (!chosen) return;
    const { fromMs, untilMs } = spanOf(chosen);
    set({ span: spanText(side === "from" ? { ...span, fromMs: fromMs - 1_000 } : { ...span, untilMs: untilMs + 1_000 }) });
  };
  useIncidentKeys({
    propose: (verdict) => setDeciding({ targets: [target], verdict }),
    letters: {
      v: () => setDeciding({ targets: [target] }),
      a: () => take([target]),
      o: () => setGiving(target),
      n: focusNote,
      c: copyCase,
      "[": () => bound("from"),
      "]": () => bound("until"),
      "\\": () => set({ span: undefined }),
    },
  });
  useDropLostStep(search.step, chosen === undefined, () => choose(undefined));
  return (
    <div className={styles.case}>
      <IncidentHeader
        incident={incident}
        caseText={text}
        onTake={() => take([target])}
        onGive={() => setGiving(target)}
        onDecide={() => setDeciding({ targets: [target] })}
      />
      <KillChain steps={steps} chosen={tactic} onChoose={(next) => set({ tactic: next })} />
      <div className={styles.grid}>
        <TimelinePanel
          className={styles.timeline}
          incident={incident}
          steps={shown}
          span={span}
          narrowed={search.span !== undefined}
          chosen={chosen}
          who={who}
          onChoose={choose}
          onWho={(key) => set({ who: key })}
          onSpan={(next) => set({ span: next && spanText(next) })}
        />
        <VerdictPanel
          className={styles.verdict}
          incident={incident}
          who={who}
          step={search.step}
          onWho={(key) => set({ who: key })}
          onStep={choose}
        />
        <RelationsPanel
          className={styles.relations}
          incident={incident}
          who={who}
          asList={search.relations === "list"}
          onWho={(key) => set({ who: key })}
          onAsList={(asList) => set({ relations: asList ? "list" : undefined })}
        />
        <EvidencePanel className={styles.evidence} incident={incident} steps={shown} chosen={chosen} onChoose={choose} />
        <div className={styles.side}>
          <SummaryPanel incident={incident} />
          <Notes target={target} query={notes} />
          <History query={decisions} />
        </div>
      </div>
      {deciding && <DecisionDialog start={deciding} onClose={() => setDeciding(undefined)} />}
      {giving && <OwnerDialog targets={[giving]} known={owners} onClose={() => setGiving(undefined)} />}
      {refusals.length > 0 && (
        <RefusedDialog
          refusals={refusals}
          onClose={() => setRefusals([])}
          onDecide={() => {
            setRefusals([]);
            setDeciding({ targets: [target] });
          }}
        />
      )}
    </div>
  );
}

/** A step that the incident no longer has is taken out of the address. */
function useDropLostStep(step: string | undefined, lost: boolean, drop: () => void): void {
  useEffect(() => {
    if (step !== undefined && lost) drop();
  });
}
