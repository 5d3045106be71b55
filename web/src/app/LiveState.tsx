// Says whether the page follows the server, and as of when it stands otherwise.
import { useTranslation } from "react-i18next";
import { useConnection } from "@/lib/connection";
import { useSettings } from "@/lib/settings";
import { timeText } from "@/lib/time";
import styles from "./LiveState.module.css";

export function LiveState() {
  const { t } = useTranslation();
  const { zone } = useSettings();
  const { live, lastMs, reachable } = useConnection();
  const state = reachable || live === "paused" ? live : "reconnecting";
  const time = timeText(lastMs, zone, "clock");
  const words = state === "reconnecting" ? t("live.reconnecting", { time }) : t(`live.${state}`);
  const hint = state === "paused" ? t("live.hint_paused") : t("live.hint_live", { time });
  return (
    <span className={styles.state} data-state={state} role="status" title={hint}>
      <span className={styles.dot} aria-hidden="true" />
      {words}
    </span>
  );
}
