// Whether a rule is on, who switched it, when and why, and the button that switches it.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { RuleDetail } from "@/api/types";
import { Button, Time } from "@/components";
import { oneLine } from "@/lib/raw";
import { whyAlwaysOn } from "./rules";
import styles from "./Switch.module.css";
import { SwitchDialog } from "./SwitchDialog";

export function Switch({ rule }: { rule: RuleDetail }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const { enabled, switched } = rule;
  const why = whyAlwaysOn(rule);
  return (
    <div className={styles.row}>
      <span className={styles.state} data-off={!enabled || undefined}>
        {enabled ? t("detections.is_on") : t("detections.is_off")}
      </span>
      <Button onPress={() => setOpen(true)} isDisabled={why !== undefined} {...(why && { hint: t(`detections.always_on_${why}`) })}>
        {enabled ? t("detections.switch_off") : t("detections.switch_on")}
      </Button>
      {switched && (
        <span className={styles.said} title={oneLine(switched.reason)}>
          {oneLine(switched.by)} <Time value={switched.time_dt} />
          {switched.reason && `: ${oneLine(switched.reason)}`}
        </span>
      )}
      {open && <SwitchDialog id={rule.id} onClose={() => setOpen(false)} />}
    </div>
  );
}
