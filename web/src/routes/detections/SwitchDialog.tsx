// The dialog in which a rule is switched off or on: what that means, the reason, and who did before.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { request, segment } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import { keys, ruleQuery, rulesQuery, ruleStatesQuery } from "@/api/queries";
import type { RuleDetail, RuleSwitch } from "@/api/types";
import { Button, Dialog, DialogForm, ErrorState, Loaded, Meanwhile, ReasonField, SendKeys, Time } from "@/components";
import { oneLine } from "@/lib/raw";
import styles from "./Switch.module.css";

const REASON_CHARS_MAX = 2_000;

/** What the viewer has in front of them: later changes by others must not be overwritten unseen. */
interface Seen {
  rule: RuleDetail;
  etag: string;
}

export function SwitchDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation();
  const query = useQuery(ruleQuery(id));
  const [seen, setSeen] = useState<Seen>();
  useEffect(() => {
    if (query.data) setSeen((before) => before ?? { rule: query.data.data, etag: query.data.etag });
  }, [query.data]);
  if (seen) return <Asked seen={seen} onClose={onClose} />;
  return (
    <Dialog title={t("detections.switch")} isOpen onClose={onClose}>
      <Loaded query={query} rows={4}>
        {() => null}
      </Loaded>
    </Dialog>
  );
}

function Asked({ seen, onClose }: { seen: Seen; onClose: () => void }) {
  const { t } = useTranslation();
  const { rule } = seen;
  const enabled = !rule.enabled;
  const [reason, setReason] = useState("");
  const { send, theirs } = useSwitch(seen, enabled, onClose);
  const form = useId();
  const submit = () => {
    if (!send.isPending) send.mutate(reason.trim());
  };
  const word = enabled ? t("detections.switch_on") : t("detections.switch_off");
  return (
    <Dialog
      title={`${word}: ${oneLine(rule.title)}`}
      isOpen
      onClose={onClose}
      width={560}
      footer={
        <>
          <SendKeys />
          <Button onPress={onClose}>{t("action.cancel")}</Button>
          <Button kind={enabled ? "primary" : "danger"} type="submit" form={form} isDisabled={send.isPending}>
            {theirs ? t("detections.switch_anyway", { word }) : word}
          </Button>
        </>
      }
    >
      <DialogForm id={form} onSubmit={submit} sendByKey>
        {theirs && <Theirs said={theirs} />}
        {send.error && !theirs && <ErrorState error={send.error} />}
        <p>{enabled ? t("detections.on_means") : t("detections.off_means")}</p>
        {!enabled && rule.feeds.length > 0 && <Feeds ids={rule.feeds} />}
        <ReasonField label={t("detections.reason")} placeholder={t("detections.reason_hint")} value={reason} charsMax={REASON_CHARS_MAX} onChange={setReason} autoFocus />
        <History id={rule.id} />
      </DialogForm>
    </Dialog>
  );
}

/** Sends the switch, and learns what somebody else did meanwhile where it is refused for that. */
function useSwitch(seen: Seen, enabled: boolean, onDone: () => void) {
  const client = useQueryClient();
  const { id } = seen.rule;
  const [etag, setEtag] = useState(seen.etag);
  const [theirs, setTheirs] = useState<RuleSwitch | null>(null);
  const send = useMutation({
    mutationFn: (reason: string) =>
      request<RuleSwitch>("PUT", `/rules/${segment(id)}/state`, { body: { enabled, reason }, headers: { "if-match": etag } }),
    onSuccess: onDone,
    onError: async (error) => {
      setTheirs(null);
      if (!(error instanceof ApiProblem) || error.status !== 412) return;
      const fresh = await client.fetchQuery({ ...ruleQuery(id), staleTime: 0 });
      setEtag(fresh.etag);
      setTheirs(fresh.data.switched);
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.rules }),
  });
  return { send, theirs };
}

function Theirs({ said }: { said: RuleSwitch }) {
  const { t } = useTranslation();
  return (
    <Meanwhile>
      <p>{said.enabled ? t("detections.meanwhile_on") : t("detections.meanwhile_off")}</p>
      <p className="muted">
        {oneLine(said.by)} <Time value={said.time_dt} />
        {said.reason && `: ${oneLine(said.reason)}`}
      </p>
    </Meanwhile>
  );
}

/** The correlations that go on counting what the rule matches. */
function Feeds({ ids }: { ids: readonly string[] }) {
  const { t } = useTranslation();
  const { data } = useQuery(rulesQuery());
  const title = (id: string) => oneLine(data?.items.find((one) => one.id === id)?.title || id);
  return (
    <div>
      <p>{t("detections.still_feeds")}</p>
      <ul className={styles.feeds}>
        {ids.map((id) => (
          <li key={id}>{title(id)}</li>
        ))}
      </ul>
    </div>
  );
}

function History({ id }: { id: string }) {
  const { t } = useTranslation();
  const { data } = useQuery(ruleStatesQuery(id));
  if (!data || data.items.length === 0) return null;
  return (
    <section aria-label={t("detections.switched_before")}>
      <h3 className={styles.before}>{t("detections.switched_before")}</h3>
      <ol className={styles.history}>
        {data.items.map((one) => (
          <li key={one.version}>
            <span className={styles.state} data-off={!one.enabled || undefined}>
              {one.enabled ? t("detections.is_on") : t("detections.is_off")}
            </span>
            <span className={styles.who}>{oneLine(one.by)}</span>
            <Time value={one.time_dt} />
            {one.reason && <p>{one.reason.split("\n").map(oneLine).join("\n")}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}
