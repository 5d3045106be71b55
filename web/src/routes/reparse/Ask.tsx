// What is parsed again: sources, days, the cost, and the start.
import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { requestTenant } from "@/api/client";
import { Button, DialogForm, LineField, Panel } from "@/components";
import { now } from "@/lib/now";
import { Cost } from "./Cost";
import { Refused } from "./Refused";
import styles from "./Reparse.module.css";
import { type Asked, faultOf, lastDays, namesOf, namesText, requestOf } from "./reparse";
import { type ReparseSearch, reparseRoute } from "./route";
import { Sources } from "./Sources";
import { useAsk } from "./useReparse";

const DAY_CHARS = 10;
const WEEK_DAYS = 7;

export function Ask({ running }: { running: boolean }) {
  const { t } = useTranslation();
  const form = useId();
  const { source, from = "", until = "" } = reparseRoute.useSearch();
  const navigate = useNavigate();
  const change = (next: ReparseSearch) => void navigate({ to: ".", search: (old) => ({ ...old, ...next }), replace: true });
  const asked: Asked = { sources: namesOf(source), from, until };
  const ask = useAsk(JSON.stringify([asked, requestTenant()]));
  const fault = faultOf(asked);
  const blocked = fault ? t(`reparse.bad_${fault}`) : running ? t("reparse.busy") : undefined;
  // By the button or Ctrl-Enter; a mere Enter in a field, which nobody means as a start, does nothing.
  const submit = () => {
    if (ask.busy || fault) return;
    if (!ask.costed) ask.show(requestOf(asked));
    else if (!running) ask.begin(ask.costed);
  };
  const begins = ask.costed !== undefined;
  const bar = begins ? blocked : fault ? blocked : undefined;
  return (
    <Panel title={t("reparse.ask")}>
      <DialogForm id={form} label={t("reparse.ask")} onSubmit={submit} sendByKey>
        <Sources chosen={asked.sources} onChange={(names) => change({ source: namesText(names) })} />
        <Days from={from} until={until} fault={fault} onChange={(days) => change({ from: days.from || undefined, until: days.until || undefined })} />
        <div className={styles.row}>
          <Button kind="primary" onPress={submit} {...(begins && { icon: "play" as const })} isDisabled={bar !== undefined || ask.busy} {...(bar && { hint: bar })}>
            {begins ? t("reparse.begin") : t("reparse.show_cost")}
          </Button>
        </div>
        {ask.error && <Refused error={ask.error} />}
        <div aria-live="polite">{ask.costed && <Cost cost={ask.costed.cost} />}</div>
      </DialogForm>
    </Panel>
  );
}

type DaysOf = Pick<Asked, "from" | "until">;

function Days({ from, until, fault, onChange }: DaysOf & { fault: "day" | "order" | null; onChange: (days: DaysOf) => void }) {
  const { t } = useTranslation();
  // A day that is half written does not go through the address.
  const [typed, setTyped] = useState({ from, until });
  const set = (days: DaysOf) => {
    setTyped(days);
    onChange(days);
  };
  const presets = [
    { id: "today", days: lastDays(1, now()) },
    { id: "week", days: lastDays(WEEK_DAYS, now()) },
    { id: "all", days: { from: "", until: "" } },
  ] as const;
  return (
    <fieldset className={styles.part}>
      <legend>{t("reparse.days")}</legend>
      <div className={styles.days}>
        <LineField label={t("reparse.from")} value={typed.from} charsMax={DAY_CHARS} onChange={(text) => set({ ...typed, from: text.trim() })} />
        <LineField label={t("reparse.until")} value={typed.until} charsMax={DAY_CHARS} onChange={(text) => set({ ...typed, until: text.trim() })} />
        <div className={styles.presets}>
          {presets.map(({ id, days }) => (
            <Button key={id} onPress={() => set(days)}>
              {t(`reparse.preset_${id}`)}
            </Button>
          ))}
        </div>
      </div>
      <p className={fault ? styles.bad : styles.hint} role="status">
        {fault ? t(`reparse.bad_${fault}`) : t("reparse.days_hint")}
      </p>
    </fieldset>
  );
}
