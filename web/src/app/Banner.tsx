// A line across the page while the server does not answer.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Button, Icon } from "@/components";
import { tryNow, useConnection } from "@/lib/connection";
import { useSettings } from "@/lib/settings";
import { timeText } from "@/lib/time";
import { useStable } from "@/lib/useStable";
import styles from "./Banner.module.css";

const RETRY_MS = 5_000;

export function Banner() {
  const { t } = useTranslation();
  const { zone } = useSettings();
  const { reachable, lastMs } = useConnection();
  const client = useQueryClient();
  const retry = useStable(() => {
    tryNow();
    void client.invalidateQueries();
  });
  useEffect(() => {
    if (reachable) return;
    const timer = setInterval(retry, RETRY_MS);
    window.addEventListener("online", retry);
    return () => {
      clearInterval(timer);
      window.removeEventListener("online", retry);
    };
  }, [reachable, retry]);
  if (reachable) return null;
  return (
    <div className={styles.banner} role="alert">
      <Icon name="warning" />
      <strong>{t("state.unreachable")}</strong>
      <span className={styles.detail}>{t("state.unreachable_detail", { time: timeText(lastMs, zone, "clock") })}</span>
      <Button icon="refresh" onPress={retry}>
        {t("state.retry")}
      </Button>
    </div>
  );
}
