// Chooses the range of time: offered spans, or two bounds as they are typed.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Icon } from "@/components";
import { isComposing } from "@/lib/keys";
import { useSettings, type Zone } from "@/lib/settings";
import { offsetOf } from "@/lib/time";
import { Pop } from "./Pop";
import { boundMs, boundText, PRESETS, readBound, spanLabel, type TimeRange as Range } from "./time-range";
import styles from "./TimeRange.module.css";

export function TimeRange({ range, onChange }: { range: Range; onChange: (range: Range) => void }) {
  const { t } = useTranslation();
  const label = useRangeLabel(range);
  return (
    <Pop
      label={t("search.time.label_now", { range: label })}
      quiet={false}
      width={340}
      text={
        <>
          <Icon name="clock" />
          <span className={styles.now}>{label}</span>
          <Icon name="down" size={12} />
        </>
      }
    >
      {(close) => (
        <Choices
          range={range}
          onChange={(next) => {
            onChange(next);
            close();
          }}
        />
      )}
    </Pop>
  );
}

/** The range in words. */
export function useRangeLabel(range: Range): string {
  const { t } = useTranslation();
  const { zone } = useSettings();
  const { from, until } = range;
  if (!from && !until) return t("search.time.any");
  const preset = PRESETS.find((one) => one === from);
  if (preset && !until) return t(`search.time.preset.${preset}`);
  const [fromMs, untilMs] = [boundMs(from, 0), boundMs(until, 0)];
  if (from?.includes("T") && until?.includes("T") && fromMs !== null && untilMs !== null) return spanLabel(fromMs, untilMs, zone);
  if (!until) return t("search.time.since", { time: boundText(from ?? "", zone) });
  if (!from) return t("search.time.before", { time: boundText(until, zone) });
  return `${boundText(from, zone)} – ${boundText(until, zone)}`;
}

function Choices({ range, onChange }: { range: Range; onChange: (range: Range) => void }) {
  const { t } = useTranslation();
  const { zone } = useSettings();
  const [from, setFrom] = useState(range.from ? boundText(range.from, zone) : "");
  const [until, setUntil] = useState(range.until ? boundText(range.until, zone) : "");
  const bad = (text: string) => text.trim() !== "" && readBound(text, zone) === null;
  const apply = () => {
    if (bad(from) || bad(until)) return;
    onChange({ from: bound(from, zone), until: bound(until, zone) });
  };
  return (
    <div className={styles.choices}>
      <div className={styles.presets} role="group" aria-label={t("search.time.label")}>
        <Button kind={!range.from && !range.until ? "primary" : "plain"} onPress={() => onChange({})}>
          {t("search.time.any")}
        </Button>
        {PRESETS.map((preset) => (
          <Button key={preset} kind={range.from === preset && !range.until ? "primary" : "plain"} onPress={() => onChange({ from: preset })}>
            {t(`search.time.preset.${preset}`)}
          </Button>
        ))}
      </div>
      <BoundField label={t("search.time.from")} value={from} bad={bad(from)} onChange={setFrom} onEnter={apply} />
      <BoundField label={t("search.time.until")} value={until} bad={bad(until)} onChange={setUntil} onEnter={apply} />
      <p className={styles.hint}>{t("search.time.hint", { offset: offsetOf(Date.now(), zone) })}</p>
      <div className={styles.foot}>
        <Button kind="primary" onPress={apply} {...((bad(from) || bad(until)) && { isDisabled: true, hint: t("search.time.bad") })}>
          {t("search.time.apply")}
        </Button>
      </div>
    </div>
  );
}

function bound(text: string, zone: Zone): string | undefined {
  return text.trim() === "" ? undefined : (readBound(text, zone) ?? undefined);
}

function BoundField({ label, value, bad, onChange, onEnter }: {
  label: string;
  value: string;
  bad: boolean;
  onChange: (text: string) => void;
  onEnter: () => void;
}) {
  const { t } = useTranslation();
  return (
    <label className={styles.bound}>
      <span>{label}</span>
      <input
        value={value}
        placeholder={t("search.time.open")}
        spellCheck={false}
        autoComplete="off"
        aria-invalid={bad || undefined}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => event.key === "Enter" && !isComposing(event.nativeEvent) && onEnter()}
      />
    </label>
  );
}
