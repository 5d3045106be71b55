// Hunting: pasted indicators, what they are taken for, and where they were seen.
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useDeferredValue, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { request } from "@/api/client";
import type { HuntAnswer } from "@/api/types";
import { Button, ErrorState } from "@/components";
import { keep, kept } from "@/lib/kept";
import { count } from "@/lib/number";
import { HuntAsk, HuntFrame, HuntRow } from "./HuntFrame";
import { HuntPreview } from "./HuntPreview";
import { HuntResults } from "./HuntResults";
import { entries, isDocument } from "./indicators";
import { ResultFrame } from "./ResultFrame";
import { useRun } from "./useRun";
import { useView } from "./useView";
import styles from "./IndicatorHunt.module.css";

/** Longer texts do not go into the address; they stay in this tab. */
const LINK_CHARS_MAX = 2_000;
const INDICATORS_MAX = 100_000;
/** Longer texts are not previewed. */
const PREVIEW_CHARS_MAX = 2_000_000;
const KEPT = "yagura.hunt";

/** `head` stands above the field. */
export function IndicatorHunt({ head }: { head: ReactNode }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { view, set } = useView();
  const [text, setText] = useState(view.hunt ?? kept(KEPT));
  const [hunted, setHunted] = useState(view.hunt ?? "");
  const [run, runAgain] = useRun();
  const wide = view.wide ?? false;
  const previewed = useDeferredValue(text);
  const preview = useMemo(() => (previewed.length > PREVIEW_CHARS_MAX || isDocument(previewed) ? null : entries(previewed, wide)), [previewed, wide]);
  const taken = preview?.filter((entry) => entry.kind !== undefined).length ?? 1;
  const queryKey = ["hunt", hunted, wide, run.n];
  const found = useQuery({
    queryKey,
    queryFn: ({ signal }) => request<HuntAnswer>("POST", "/hunt", { body: { lists: [{ name: "pasted", text: hunted }], wide, format: "json" }, signal }),
    enabled: hunted.trim() !== "",
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
  });
  const start = () => {
    if (text.trim() === "" || taken === 0) return;
    keep(KEPT, text);
    setHunted(text);
    runAgain();
    set({ hunt: text.length <= LINK_CHARS_MAX ? text : undefined });
  };
  const blocked = text.trim() === "" ? t("search.hunt.paste_first") : taken === 0 ? t("search.hunt.none_taken") : taken > INDICATORS_MAX ? t("search.hunt.too_many", { number: count(INDICATORS_MAX) }) : undefined;
  return (
    <HuntFrame ask="words">
      <HuntAsk label={t("search.hunt.indicators")}>
        {head}
        <textarea
          className={styles.text}
          data-filter
          aria-label={t("search.hunt.paste")}
          placeholder={t("search.hunt.placeholder")}
          value={text}
          spellCheck={false}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.nativeEvent.isComposing) start();
            if (event.key === "Escape" && !event.nativeEvent.isComposing) event.currentTarget.blur();
          }}
        />
        <label className={styles.wide}>
          <input type="checkbox" checked={wide} onChange={(event) => set({ wide: event.target.checked || undefined }, true)} />
          {t("search.hunt.wide")}
        </label>
        <HuntRow>
          {found.isFetching ? (
            <Button icon="stop" onPress={() => void client.cancelQueries({ queryKey })}>
              {t("search.run.stop")}
            </Button>
          ) : (
            <Button kind="primary" icon="play" onPress={start} {...(blocked && { isDisabled: true, hint: blocked })}>
              {preview && taken > 0 ? t("search.hunt.go_count", { count: taken, number: count(taken) }) : t("search.hunt.go")}
            </Button>
          )}
          {text.length > LINK_CHARS_MAX && <span className="muted">{t("search.hunt.not_in_link")}</span>}
        </HuntRow>
        <HuntPreview entries={preview} blank={text.trim() === ""} />
      </HuntAsk>
      <ResultFrame label={t("search.hunt.found")} busy={found.isFetching}>
        {found.error && <ErrorState error={found.error} onRetry={() => void found.refetch()} {...(found.data && { asOfMs: found.dataUpdatedAt })} />}
        <HuntResults
          hunted={found.data}
          stale={found.isPlaceholderData}
          running={found.isFetching}
          failed={found.error !== null}
          stopped={hunted.trim() !== "" && !found.isFetching && !found.error && (found.data === undefined || found.isPlaceholderData)}
          asked={useAsked(hunted, wide)}
          onSearch={(q) => set({ view: undefined, q, from: undefined, until: undefined, event: undefined, job: undefined })}
        />
      </ResultFrame>
    </HuntFrame>
  );
}

/** What was hunted for, to say which were not seen; `null` where only the server can read it. */
function useAsked(text: string, wide: boolean): string[] | null {
  return useMemo(() => {
    if (text.length > PREVIEW_CHARS_MAX || isDocument(text)) return null;
    return entries(text, wide).flatMap((entry) => (entry.kind ? [entry.text] : []));
  }, [text, wide]);
}
