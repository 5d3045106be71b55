// The line a query is written in: editor, what stands beside it, run or stop.
import type { CompletionSource } from "@codemirror/autocomplete";
import { lazy, type ReactNode, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { request } from "@/api/client";
import type { QueryCheck } from "@/api/types";
import { Button, Icon } from "@/components";
import type { Language } from "./editor/tokens";
import styles from "./QueryBar.module.css";

const Editor = lazy(() => import("./editor/Editor").then((module) => ({ default: module.Editor })));

export function QueryBar({ language, draft, onDraft, onRun, onStop, running, complete, range, tools }: {
  language: Language;
  draft: string;
  onDraft: (text: string) => void;
  onRun: () => void;
  onStop: () => void;
  running: boolean;
  complete: CompletionSource;
  /** Between editor and button. */
  range?: ReactNode;
  /** Behind the button. */
  tools?: ReactNode;
}) {
  const { t } = useTranslation();
  const check = (query: string) =>
    query.trim() === ""
      ? Promise.resolve(null)
      : request<QueryCheck>("POST", `/${language === "pipe" ? "query" : "search"}/check`, { body: { query } }).then(
          (checked) => checked.problem ?? null,
          () => null,
        );
  return (
    <div className={styles.bar} role="search" aria-label={t(`search.bar.${language}`)}>
      <div className={styles.field} data-running={running || undefined}>
        <span className={styles.icon}>
          <Icon name="search" />
        </span>
        <Suspense fallback={<span className={styles.waiting}>{draft}</span>}>
          <Editor
            language={language}
            label={t(`search.bar.${language}`)}
            placeholder={t(`search.bar.${language}_hint`)}
            value={draft}
            onChange={onDraft}
            onRun={onRun}
            complete={complete}
            check={check}
          />
        </Suspense>
        {draft !== "" && (
          <Button
            kind="quiet"
            icon="close"
            aria-label={t("search.bar.clear")}
            onPress={() => {
              onDraft("");
              document.querySelector<HTMLElement>("[data-filter]")?.focus();
            }}
          />
        )}
      </div>
      {range}
      {running ? (
        <Button icon="stop" onPress={onStop}>
          {t("search.run.stop")}
        </Button>
      ) : (
        <Button kind="primary" icon="play" onPress={onRun}>
          {t("search.run.run")}
        </Button>
      )}
      {tools}
    </div>
  );
}
