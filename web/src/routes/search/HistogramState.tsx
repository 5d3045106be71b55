// A histogram before it is there, when it is old, and when it cannot be had; always of one height.
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ApiProblem } from "@/api/problem";
import type { Histogram } from "@/api/types";
import { Button } from "@/components";
import styles from "./HistogramState.module.css";

export function HistogramState({ query, children }: { query: UseQueryResult<Histogram>; children: (counts: Histogram) => ReactNode }) {
  const { t } = useTranslation();
  const { data, error, isFetching, isPlaceholderData } = query;
  if (data && !error) {
    return (
      <div className={styles.box} data-stale={isPlaceholderData || undefined} aria-busy={isFetching}>
        {children(data)}
      </div>
    );
  }
  const refused = error instanceof ApiProblem && error.position !== null;
  return (
    <div className={styles.empty}>
      {isFetching && <span className={styles.wait}>{t("search.histogram.counting")}</span>}
      {!isFetching && error && !refused && (
        <span role="alert">
          {t("search.histogram.failed")} <code>{error instanceof ApiProblem ? error.code : error.name}</code>{" "}
          <Button kind="quiet" icon="refresh" hint={t("state.retry")} onPress={() => void query.refetch()} />
        </span>
      )}
      {!isFetching && (!error || refused) && <span>{t("search.histogram.no_counts")}</span>}
    </div>
  );
}
