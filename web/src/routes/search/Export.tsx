// Saves the answer of a query as a file: NDJSON, CSV or Parquet.
import { useMutation } from "@tanstack/react-query";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import type { SearchStats } from "@/api/types";
import { Button, ErrorState, Menu } from "@/components";
import { count } from "@/lib/number";
import { download, type Format } from "./download";
import { statsOf } from "./rows";
import styles from "./Export.module.css";

const FORMATS: readonly Format[] = ["ndjson", "csv", "parquet"];

export function Export({ path, bodyOf, note, disabled }: {
  path: "/search" | "/query";
  /** The body for a format. */
  bodyOf: (format: Format) => Record<string, unknown>;
  /** What the file will hold. */
  note: string;
  /** Why nothing can be saved. */
  disabled?: string | undefined;
}) {
  const { t } = useTranslation();
  const stop = useRef<AbortController | null>(null);
  const save = useMutation({
    mutationFn: async (format: Format) => {
      stop.current = new AbortController();
      const stem = path === "/search" ? "events" : "pipe";
      const headers = await download(path, { ...bodyOf(format), format }, `yagura-${stem}`, stop.current.signal);
      return statsOf<SearchStats | null>(headers, "yagura-search-stats", null);
    },
  });
  const aborted = save.error instanceof DOMException && save.error.name === "AbortError";
  return (
    <>
      <Menu
        label={t("search.export.label")}
        trigger={<Button kind="quiet" icon="download" hint={disabled ?? t("search.export.label")} isDisabled={disabled !== undefined} />}
        groups={[
          {
            id: "formats",
            title: note,
            entries: FORMATS.map((format) => ({ id: format, label: t(`search.export.${format}`), onAction: () => save.mutate(format) })),
          },
        ]}
      />
      {(save.isPending || save.isSuccess || (save.error && !aborted)) && (
        <div className={styles.state} role="status">
          {save.isPending && (
            <>
              <span>{t("search.export.running")}</span>
              <Button onPress={() => stop.current?.abort()}>{t("state.cancel")}</Button>
            </>
          )}
          {save.isSuccess && (
            <>
              <span>
                {save.data
                  ? t(save.data.more ? "search.export.done_more" : "search.export.done_events", { count: save.data.events, number: count(save.data.events) })
                  : t("search.export.done")}
              </span>
              <Button kind="quiet" icon="close" aria-label={t("action.close")} onPress={() => save.reset()} />
            </>
          )}
          {save.error && !aborted && (
            <>
              <ErrorState error={save.error} />
              <Button kind="quiet" icon="close" aria-label={t("action.close")} onPress={() => save.reset()} />
            </>
          )}
        </div>
      )}
    </>
  );
}
