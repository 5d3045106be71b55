// Notes on an incident, and the field that adds one exactly once.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type KeyboardEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { make, segment } from "@/api/client";
import { keys } from "@/api/queries";
import type { Note } from "@/api/types";
import { Button, ErrorState, Kbd, Loaded, Panel, Time } from "@/components";
import type { QueryLike } from "@/components/States";
import { isComposing } from "@/lib/keys";
import { oneLine } from "@/lib/raw";
import type { Target } from "./decision/held";
import { dropDraft, draftOf, keepDraft } from "./drafts";
import styles from "./Notes.module.css";

const NOTE_CHARS_MAX = 20_000;
const FIELD_ID = "incident-note";

/** Puts the cursor into the field for a new note. */
export function focusNote(): void {
  document.getElementById(FIELD_ID)?.focus();
}

export function Notes({ target, query }: { target: Target; query: QueryLike<{ items: Note[] }> }) {
  const { t } = useTranslation();
  return (
    <Panel title={t("incidents.notes")}>
      <Loaded query={query} rows={3}>
        {({ items }) => (
          <ol className={styles.list}>
            {items.map((note) => (
              <li key={note.id}>
                <p className={styles.by}>
                  <span className={styles.who}>{oneLine(note.by)}</span>
                  <Time value={note.time_dt} />
                </p>
                <p className={styles.text}>{note.text.split("\n").map(oneLine).join("\n")}</p>
              </li>
            ))}
          </ol>
        )}
      </Loaded>
      <NewNote key={`${target.tenant}/${target.id}`} target={target} />
    </Panel>
  );
}

function NewNote({ target }: { target: Target }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [text, setText] = useState(() => draftOf(target));
  const add = useMutation({
    mutationFn: () =>
      make<Note>(`/incidents/${segment(target.id)}/notes`, { query: { tenant: target.tenant }, body: { text: text.trim() } }),
    onSuccess: async () => {
      dropDraft(target);
      setText("");
      await client.invalidateQueries({ queryKey: keys.incidents });
    },
  });
  const change = (next: string) => {
    keepDraft(target, next);
    setText(next);
  };
  const send = () => text.trim() && !add.isPending && add.mutate();
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
    if (event.key === "Escape") event.currentTarget.blur();
  };
  return (
    <div className={styles.add}>
      {add.error && <ErrorState error={add.error} onRetry={() => add.mutate()} />}
      <textarea
        id={FIELD_ID}
        aria-label={t("incidents.note_new")}
        placeholder={t("incidents.note_hint")}
        rows={text ? 4 : 2}
        maxLength={NOTE_CHARS_MAX}
        value={text}
        onChange={(event) => change(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className={styles.foot}>
        <span className="muted">
          <Kbd>n</Kbd>
        </span>
        <span className={styles.space} />
        <span className="muted">
          <Kbd>mod</Kbd> <Kbd>Enter</Kbd>
        </span>
        <Button onPress={send} isDisabled={!text.trim() || add.isPending} {...(!text.trim() && { hint: t("incidents.note_empty") })}>
          {t("incidents.note_add")}
        </Button>
      </div>
    </div>
  );
}
