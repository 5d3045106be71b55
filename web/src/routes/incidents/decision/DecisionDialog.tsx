// The dialog in which one incident or several are decided: verdict, state, reason.
import { useQueries } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { incidentQuery } from "@/api/queries";
import type { IncidentState, IncidentVerdict } from "@/api/types";
import { Button, Dialog, DialogForm, ErrorState, Icon, Kbd, ReasonField, SendKeys } from "@/components";
import { useWord } from "@/i18n/words";
import { isPlain } from "@/lib/keys";
import { keyOf } from "../queue";
import { Conflict } from "./Conflict";
import styles from "./DecisionDialog.module.css";
import type { Target } from "./held";
import { type Refusal, useDecide } from "./useDecide";
import { needsVerdict, proposedState, STATES, VERDICTS, verdictOfKey } from "./verdicts";

const REASON_CHARS_MAX = 4_000;

export interface DecisionStart {
  targets: Target[];
  verdict?: IncidentVerdict | undefined;
}

/** `onClose` gets the state decided on, or nothing where it was left. */
export function DecisionDialog({ start, onClose }: { start: DecisionStart; onClose: (decided?: IncidentState) => void }) {
  const { t } = useTranslation();
  const { targets } = start;
  const seen = useSeen(targets);
  const current = seen.first;
  const [chosen, setChosen] = useState<{ state?: IncidentState; verdict?: IncidentVerdict | null }>({});
  const [reason, setReason] = useState("");
  const [refusals, setRefusals] = useState<Refusal[]>([]);
  const { decide, busy } = useDecide();
  const verdict = chosen.verdict !== undefined ? chosen.verdict : (start.verdict ?? current?.verdict ?? null);
  const before = current?.state ?? "new";
  const state = chosen.state ?? (start.verdict ? proposedState(start.verdict, before) : before);
  const form = useId();

  const choose = (next: IncidentVerdict) => setChosen({ verdict: next, state: proposedState(next, before) });
  const send = async (only: Target[]) => {
    const refused = await decide(only, { state, verdict, reason: reason.trim() }, seen.etags);
    if (refused.length === 0) onClose(state);
    else setRefusals(refused);
  };
  const blocked = !seen.ready ? t("state.loading") : needsVerdict(state) && !verdict ? t("incidents.verdict_needed") : undefined;
  const submit = () => {
    if (!blocked && !busy) void send(refusals.length > 0 ? refusals.map((one) => one.target) : targets);
  };
  const onKey = (event: KeyboardEvent) => {
    const key = event.nativeEvent;
    const digit = !(key.target instanceof HTMLTextAreaElement) && isPlain(key) ? verdictOfKey(key.key) : undefined;
    if (!digit) return;
    event.preventDefault();
    choose(digit);
  };
  const title = targets.length === 1 ? t("incidents.decide_one", { id: targets[0]?.id }) : t("incidents.decide_many", { count: targets.length });
  return (
    <Dialog
      title={title}
      isOpen
      onClose={() => onClose()}
      width={600}
      footer={
        <>
          <SendKeys />
          <Button onPress={() => onClose()}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" form={form} isDisabled={Boolean(blocked) || busy} {...(blocked && { hint: blocked })}>
            {refusals.length > 0 ? t("incidents.decide_anyway") : t("incidents.decide_send")}
          </Button>
        </>
      }
    >
      <DialogForm id={form} onSubmit={submit} onKey={onKey} sendByKey>
        {refusals.map((refusal) => (
          <Conflict key={keyOf(refusal.target)} refusal={refusal} many={targets.length > 1} />
        ))}
        {seen.error && <ErrorState error={seen.error} onRetry={seen.retry} />}
        <VerdictField verdict={verdict} focus={start.verdict === undefined} onChoose={choose} onClear={() => setChosen({ ...chosen, verdict: null })} />
        <StateField state={state} onChoose={(next) => setChosen({ verdict, state: next })} />
        <ReasonField
          label={t("incidents.reason")}
          placeholder={t("incidents.reason_hint")}
          value={reason}
          charsMax={REASON_CHARS_MAX}
          onChange={setReason}
          autoFocus={start.verdict !== undefined}
        />
      </DialogForm>
    </Dialog>
  );
}

/** What the viewer has in front of them when deciding: the newest decision and the ETags to guard it. */
function useSeen(targets: readonly Target[]) {
  const etags = useRef(new Map<string, string>());
  const queries = useQueries({ queries: targets.map((target) => ({ ...incidentQuery(target.id, target.tenant) })) });
  const ready = queries.every((query) => query.data !== undefined);
  useEffect(() => {
    for (const [i, query] of queries.entries()) {
      const key = keyOf(targets[i] as Target);
      if (query.data && !etags.current.has(key)) etags.current.set(key, query.data.etag);
    }
  }, [queries, targets]);
  const single = targets.length === 1 ? queries[0]?.data?.data.decision : undefined;
  const failed = queries.find((query) => query.error && !query.data);
  return { ready, first: single, etags: etags.current, error: failed?.error ?? null, retry: () => void failed?.refetch() };
}

function VerdictField({ verdict, focus, onChoose, onClear }: {
  verdict: IncidentVerdict | null;
  /** Takes the focus when it appears. */
  focus: boolean;
  onChoose: (verdict: IncidentVerdict) => void;
  onClear: () => void;
}) {
  const { t } = useTranslation();
  const word = useWord();
  return (
    <fieldset className={styles.field}>
      <legend>{t("incidents.verdict")}</legend>
      <div className={styles.verdicts}>
        {VERDICTS.map((one, i) => (
          <label key={one} className={styles.choice} data-chosen={one === verdict || undefined}>
            <input
              type="radio"
              name="verdict"
              autoFocus={focus && i === 0}
              checked={one === verdict}
              onChange={() => onChoose(one)}
            />
            <Kbd>{String(i + 1)}</Kbd>
            <span>
              <span className={styles.name}>{word("incident_verdict", one)}</span>
              <span className={styles.about}>{t(`incidents.about_${one}`)}</span>
            </span>
          </label>
        ))}
      </div>
      {verdict && (
        <Button kind="quiet" icon="close" onPress={onClear}>
          {t("incidents.verdict_clear")}
        </Button>
      )}
    </fieldset>
  );
}

function StateField({ state, onChoose }: { state: IncidentState; onChoose: (state: IncidentState) => void }) {
  const { t } = useTranslation();
  const word = useWord();
  return (
    <fieldset className={styles.field}>
      <legend>{t("incidents.state")}</legend>
      <div className={styles.states}>
        {STATES.map((one) => (
          <label key={one} className={styles.choice} data-chosen={one === state || undefined}>
            <input type="radio" name="state" checked={one === state} onChange={() => onChoose(one)} />
            {one === state && <Icon name="check" size={14} />}
            <span>{word("incident_state", one)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
