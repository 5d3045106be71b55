// Queries to come back to: those that were saved for everyone, and those that were run here.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { make, request, segment } from "@/api/client";
import { savedSearchesQuery } from "@/api/queries";
import type { SavedSearch } from "@/api/types";
import { Age, Button, Dialog, DialogForm, ErrorState, LineField, Loaded } from "@/components";
import { oneLine } from "@/lib/raw";
import type { Language } from "./editor/tokens";
import { forgetPast, type Past, past } from "./history";
import { Pop } from "./Pop";
import { useRangeLabel } from "./TimeRange";
import styles from "./Library.module.css";

const NAME_CHARS_MAX = 100;

export interface Recalled {
  language: Language;
  query: string;
  from?: string | undefined;
  until?: string | undefined;
}

export function Library({ language, query, onRecall }: { language: Language; query: string; onRecall: (recalled: Recalled) => void }) {
  const { t } = useTranslation();
  const [saving, setSaving] = useState(false);
  return (
    <>
      <Button
        kind="quiet"
        icon="save"
        hint={query.trim() === "" ? t("search.library.nothing") : t("search.library.save")}
        isDisabled={query.trim() === ""}
        onPress={() => setSaving(true)}
      />
      <Pop label={t("search.library.label")} icon="history" width={480}>
        {(close) => (
          <List
            onRecall={(recalled) => {
              onRecall(recalled);
              close();
            }}
          />
        )}
      </Pop>
      {saving && <SaveDialog language={language} query={query} onClose={() => setSaving(false)} />}
    </>
  );
}

function List({ onRecall }: { onRecall: (recalled: Recalled) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const saved = useQuery(savedSearchesQuery());
  const [recent, setRecent] = useState(past);
  const forget = useMutation({
    mutationFn: (id: string) => request("DELETE", `/saved-searches/${segment(id)}`),
    onSettled: () => client.invalidateQueries({ queryKey: savedSearchesQuery().queryKey }),
  });
  return (
    <div className={styles.library}>
      <h3>{t("search.library.saved")}</h3>
      {forget.error && <ErrorState error={forget.error} />}
      <Loaded query={saved} rows={3}>
        {({ items }) =>
          items.length === 0 ? (
            <p className={styles.none}>{t("search.library.none_saved")}</p>
          ) : (
            <ul className={styles.list}>
              {items.map((one) => (
                <SavedRow key={one.id} one={one} onRecall={onRecall} onForget={() => forget.mutate(one.id)} />
              ))}
            </ul>
          )
        }
      </Loaded>
      <header className={styles.head}>
        <h3>{t("search.library.recent")}</h3>
        {recent.length > 0 && (
          <Button
            kind="quiet"
            onPress={() => {
              forgetPast();
              setRecent([]);
            }}
          >
            {t("search.library.forget_all")}
          </Button>
        )}
      </header>
      {recent.length === 0 && <p className={styles.none}>{t("search.library.none_recent")}</p>}
      <ul className={styles.list}>
        {recent.map((one) => (
          <PastRow key={`${one.language}/${one.ms}/${one.query}`} one={one} onRecall={onRecall} />
        ))}
      </ul>
    </div>
  );
}

function SavedRow({ one, onRecall, onForget }: { one: SavedSearch; onRecall: (recalled: Recalled) => void; onForget: () => void }) {
  const { t } = useTranslation();
  return (
    <li className={styles.row}>
      <button type="button" className={styles.recall} onClick={() => onRecall({ language: one.language, query: one.query })}>
        <span className={styles.name}>{oneLine(one.name)}</span>
        <code className="clip">{oneLine(one.query)}</code>
        <span className={styles.about}>
          {t(`search.view.${one.language}`)} · {oneLine(one.by)} · <Age value={one.time_dt} />
        </span>
      </button>
      <Button kind="quiet" icon="close" hint={t("search.library.forget", { name: oneLine(one.name) })} onPress={onForget} />
    </li>
  );
}

function PastRow({ one, onRecall }: { one: Past; onRecall: (recalled: Recalled) => void }) {
  const { t } = useTranslation();
  const range = useRangeLabel(one);
  return (
    <li className={styles.row}>
      <button type="button" className={styles.recall} onClick={() => onRecall(one)}>
        <code className="clip">{oneLine(one.query)}</code>
        <span className={styles.about}>
          {t(`search.view.${one.language}`)}
          {one.language === "search" && ` · ${range}`} · <Age value={one.ms} />
        </span>
      </button>
    </li>
  );
}

function SaveDialog({ language, query, onClose }: { language: Language; query: string; onClose: () => void }) {
  const { t } = useTranslation();
  const form = useId();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const save = useMutation({
    mutationFn: () => make("/saved-searches", { body: { name: name.trim(), language, query } }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: savedSearchesQuery().queryKey });
      onClose();
    },
  });
  const blank = name.trim() === "";
  const submit = () => {
    if (!blank && !save.isPending) save.mutate();
  };
  return (
    <Dialog
      title={t("search.library.save")}
      isOpen
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" form={form} isDisabled={blank || save.isPending} {...(blank && { hint: t("search.library.name_needed") })}>
            {t("action.save")}
          </Button>
        </>
      }
    >
      <DialogForm id={form} onSubmit={submit}>
        {save.error && <ErrorState error={save.error} />}
        <LineField label={t("search.library.name")} value={name} charsMax={NAME_CHARS_MAX} onChange={setName} autoFocus />
        <code className={styles.query}>{oneLine(query)}</code>
        <p className="muted">{t("search.library.shared")}</p>
      </DialogForm>
    </Dialog>
  );
}
