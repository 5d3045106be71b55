// The sources of which records are parsed again: those that have events, and others by name.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { sourcesQuery } from "@/api/queries";
import { Button, LineField, Skeleton } from "@/components";
import { isComposing } from "@/lib/keys";
import { count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import styles from "./Reparse.module.css";

const NAME_CHARS_MAX = 100;

export function Sources({ chosen, onChange }: { chosen: readonly string[]; onChange: (names: readonly string[]) => void }) {
  const { t } = useTranslation();
  const query = useQuery(sourcesQuery());
  const listed = useMemo(() => new Map(query.data?.facets[0]?.values.map(({ value, count: n }) => [String(value), n])), [query.data]);
  // What was chosen once stays in the list: a box that went with its tick would take the focus with it.
  const [once, setOnce] = useState(chosen);
  const names = [...new Set([...listed.keys(), ...once, ...chosen])].sort();
  const toggle = (name: string, on: boolean) => onChange(on ? [...chosen, name] : chosen.filter((one) => one !== name));
  return (
    <fieldset className={styles.part}>
      <legend>{t("reparse.sources")}</legend>
      <p className={styles.hint}>{t("reparse.sources_hint")}</p>
      {query.isPending && <Skeleton rows={3} />}
      {query.error && <p className={styles.bad}>{t("reparse.sources_failed")}</p>}
      {names.length > 0 && (
        <ul className={styles.sources}>
          {names.map((name) => (
            <li key={name}>
              <label>
                <input type="checkbox" checked={chosen.includes(name)} onChange={(event) => toggle(name, event.target.checked)} />
                <code>
                  <bdi>{oneLine(name)}</bdi>
                </code>
                <span className="muted">{listed.has(name) ? count(listed.get(name) ?? 0) : t("reparse.no_events")}</span>
              </label>
            </li>
          ))}
        </ul>
      )}
      <Other
        onAdd={(name) => {
          setOnce([...once, name]);
          if (!chosen.includes(name)) onChange([...chosen, name]);
        }}
      />
    </fieldset>
  );
}

/** A source without events: its records are still among those that nothing could read. */
function Other({ onAdd }: { onAdd: (name: string) => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const add = () => {
    const wanted = name.replaceAll(",", " ").trim();
    if (wanted === "") return;
    onAdd(wanted);
    setName("");
  };
  return (
    <div
      className={styles.other}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || event.ctrlKey || event.metaKey || !(event.target instanceof HTMLInputElement) || isComposing(event.nativeEvent)) return;
        // Adds the name instead of sending the form.
        event.preventDefault();
        add();
      }}
    >
      <LineField label={t("reparse.other")} value={name} charsMax={NAME_CHARS_MAX} hint={t("reparse.other_hint")} onChange={setName} />
      <Button onPress={add} isDisabled={name.trim() === ""}>
        {t("reparse.add")}
      </Button>
    </div>
  );
}
