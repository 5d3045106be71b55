// The dialog in which incidents are given to somebody, to oneself or to nobody.
import { useId, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Dialog, DialogForm, LineField, SendKeys } from "@/components";
import { oneLine } from "@/lib/raw";
import { keyOf } from "../queue";
import { Conflict } from "./Conflict";
import { etagOf, type Held, OWNER_CHARS_MAX, ownerOf } from "./held";
import styles from "./OwnerDialog.module.css";
import { type Refusal, useDecide } from "./useDecide";
import { useMe } from "./useMe";

/** `known` are names that are offered; `onClose` hears whether somebody was chosen. */
export function OwnerDialog({ targets, known, onClose }: { targets: readonly Held[]; known: readonly string[]; onClose: (given: boolean) => void }) {
  const { t } = useTranslation();
  const me = useMe();
  const { give, busy } = useDecide();
  const one = targets.length === 1 ? targets[0] : undefined;
  const [name, setName] = useState(one?.owner ?? "");
  const [refusals, setRefusals] = useState<Refusal[]>([]);
  const etags = useRef(new Map(targets.map((target) => [keyOf(target), etagOf(target.version)])));
  const form = useId();
  const offered = useMemo(() => [...new Set([...(me ? [me] : []), ...known])].sort(), [me, known]);
  const owner = ownerOf(name);
  const same = refusals.length === 0 && one !== undefined && owner === one.owner;
  const blocked = owner === undefined ? t("incidents.owner_bad", { count: OWNER_CHARS_MAX }) : same ? t("incidents.owner_same") : undefined;

  const send = async (to: string | null) => {
    const refused = await give(refusals.length > 0 ? refusals.map((each) => each.target) : targets, to, etags.current);
    if (refused.length === 0) onClose(true);
    else setRefusals(refused);
  };
  const submit = () => {
    if (owner !== undefined && !blocked && !busy) void send(owner);
  };
  const label = owner === null ? t("incidents.give_nobody") : t("incidents.give_send");
  return (
    <Dialog
      title={one ? t("incidents.give_one", { id: one.id }) : t("incidents.give_many", { count: targets.length })}
      isOpen
      onClose={() => onClose(false)}
      footer={
        <>
          <SendKeys />
          <Button onPress={() => onClose(false)}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" form={form} isDisabled={Boolean(blocked) || busy} {...(blocked && { hint: blocked })}>
            {refusals.length > 0 ? t("incidents.give_anyway") : label}
          </Button>
        </>
      }
    >
      <DialogForm id={form} onSubmit={submit} sendByKey>
        {refusals.map((refusal) => (
          <Conflict key={keyOf(refusal.target)} refusal={refusal} many={targets.length > 1} />
        ))}
        <LineField label={t("incidents.owner")} value={name} onChange={setName} autoFocus offered={offered} placeholder={t("incidents.nobody")} selects />
        <div className={styles.quick}>
          {me && <Button onPress={() => setName(me)}>{t("incidents.give_me", { user: oneLine(me) })}</Button>}
          <Button onPress={() => setName("")}>{t("incidents.nobody")}</Button>
        </div>
      </DialogForm>
    </Dialog>
  );
}
