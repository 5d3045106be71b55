// Chooses fields from all that there are: columns of the table with their order and widths, or fields to count.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { fieldsQuery } from "@/api/queries";
import { Button, SearchField } from "@/components";
import { count } from "@/lib/number";
import { Pop } from "./Pop";
import { SHORT_NAMES } from "./short-names";
import styles from "./FieldPicker.module.css";

const SHOWN_MAX = 80;
const WIDTH_STEP_PX = 24;
const SHORT = SHORT_NAMES.filter((name) => name !== "earliest" && name !== "latest");

export interface Widths {
  of: (name: string) => number;
  set: (name: string, width: number) => void;
}

export interface FieldPickerProps {
  label: string;
  chosen: readonly string[];
  most: number;
  onChange: (names: string[]) => void;
  /** Names beside those of fields. */
  also?: readonly string[];
  /** With it the chosen ones can be ordered and made wider. */
  widths?: Widths;
  /** Names that cannot be chosen here. */
  without?: readonly string[];
  /** Whether fields of the source's own can be written. */
  own?: boolean;
  /** Goes back to the usual ones. */
  onReset?: () => void;
}

export function FieldPicker(props: FieldPickerProps) {
  return (
    <Pop label={props.label} icon="columns" title={props.label} width={400}>
      {() => <Picker {...props} />}
    </Pop>
  );
}

function Picker({ chosen, most, onChange, also = [], without = [], own: takesOwn = true, widths, onReset }: FieldPickerProps) {
  const { t } = useTranslation();
  const [filter, setFilter] = useState("");
  const fields = useQuery(fieldsQuery());
  const names = useMemo(() => {
    const all = new Map<string, string>(also.map((name) => [name, ""]));
    for (const name of SHORT) all.set(name, t(`search.short.${name}`));
    for (const { name, doc } of fields.data?.items ?? []) if (!all.get(name)) all.set(name, doc);
    for (const name of without) all.delete(name);
    return [...all];
  }, [fields.data, also, without, t]);
  const wanted = filter.trim().toLowerCase();
  const left = names.filter(([name, doc]) => !chosen.includes(name) && (name.includes(wanted) || doc.toLowerCase().includes(wanted)));
  const own = filter.trim();
  const isOwn = takesOwn && /^unmapped\.\S/.test(own) && !chosen.includes(own);
  const full = chosen.length >= most;
  return (
    <div className={styles.picker}>
      <ul className={styles.chosen} aria-label={t("search.picker.chosen")}>
        {chosen.map((name, i) => (
          <li key={name}>
            <span className="clip">{name}</span>
            {widths && (
              <>
                <span className={styles.width}>{t("search.picker.px", { width: widths.of(name) })}</span>
                <Small icon="minus" label={t("search.picker.narrower", { name })} onPress={() => widths.set(name, widths.of(name) - WIDTH_STEP_PX)} />
                <Small icon="plus" label={t("search.picker.wider", { name })} onPress={() => widths.set(name, widths.of(name) + WIDTH_STEP_PX)} />
              </>
            )}
            <Small icon="up" label={t("search.picker.up", { name })} off={i === 0} onPress={() => onChange(moved(chosen, i, i - 1))} />
            <Small icon="down" label={t("search.picker.down", { name })} off={i === chosen.length - 1} onPress={() => onChange(moved(chosen, i, i + 1))} />
            <Small icon="close" label={t("search.picker.remove", { name })} off={chosen.length === 1} onPress={() => onChange(chosen.filter((one) => one !== name))} />
          </li>
        ))}
      </ul>
      <SearchField label={t("search.picker.filter")} value={filter} onSubmit={setFilter} live icon="search" />
      {full && <p className={styles.note}>{t("search.picker.full", { count: most })}</p>}
      <ul className={styles.left} aria-label={t("search.picker.left")}>
        {isOwn && <Choice name={own} doc={t("search.picker.own")} off={full} onPress={() => onChange([...chosen, own])} />}
        {left.slice(0, SHOWN_MAX).map(([name, doc]) => (
          <Choice key={name} name={name} doc={doc} off={full} onPress={() => onChange([...chosen, name])} />
        ))}
      </ul>
      <div className={styles.foot}>
        <span className={styles.note}>
          {left.length > SHOWN_MAX ? t("search.picker.narrow", { count: left.length - SHOWN_MAX, number: count(left.length - SHOWN_MAX) }) : ""}
        </span>
        {onReset && <Button onPress={onReset}>{t("search.picker.reset")}</Button>}
      </div>
    </div>
  );
}

function Choice({ name, doc, off, onPress }: { name: string; doc: string; off: boolean; onPress: () => void }) {
  const { t } = useTranslation();
  return (
    <li>
      <button type="button" disabled={off} onClick={onPress} aria-label={t("search.picker.add", { name })}>
        <span>{name}</span>
        <span className={styles.doc}>{doc}</span>
      </button>
    </li>
  );
}

function Small({ icon, label, off = false, onPress }: { icon: "up" | "down" | "close" | "minus" | "plus"; label: string; off?: boolean; onPress: () => void }) {
  return <Button kind="quiet" icon={icon} aria-label={label} isDisabled={off} onPress={onPress} />;
}

function moved(names: readonly string[], from: number, to: number): string[] {
  const next = [...names];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}
