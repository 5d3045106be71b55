// Rules in force that are run over the past: those chosen, and the choice.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { rulesQuery } from "@/api/queries";
import type { RuleSummary } from "@/api/types";
import { Button, Loaded, SearchField, SeverityMark } from "@/components";
import { count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { Pop } from "../Pop";
import styles from "./ChosenRules.module.css";
import { canRun } from "./rule-hunt";

const SHOWN_MAX = 100;

interface ChoiceProps {
  chosen: readonly string[];
  onChange: (ids: readonly string[]) => void;
}

export function ChosenRules({ ids, onChange }: { ids: readonly string[]; onChange: ChoiceProps["onChange"] }) {
  const { t } = useTranslation();
  const { data } = useQuery(rulesQuery());
  const known = useMemo(() => new Map(data?.items.map((rule) => [rule.id, rule])), [data]);
  return (
    <div className={styles.chosen}>
      <header className={styles.head}>
        <h3>{t("search.hunt.rules.chosen", { count: ids.length, number: count(ids.length) })}</h3>
        <Button kind="quiet" onPress={() => onChange([])}>
          {t("search.hunt.rules.paste_instead")}
        </Button>
      </header>
      <ul>
        {ids.map((id) => {
          const rule = known.get(id);
          const title = oneLine(rule?.title || id);
          return (
            <li key={id}>
              {rule?.level ? <SeverityMark value={rule.level} bare /> : <span />}
              {rule ? (
                <Link to="/detections/$id" params={{ id }} className="clip" title={title}>
                  {title}
                </Link>
              ) : (
                <code className="clip">{title}</code>
              )}
              <Button kind="quiet" icon="close" aria-label={t("search.hunt.rules.leave_out", { title })} onPress={() => onChange(ids.filter((one) => one !== id))} />
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** Chooses among the rules that are in force. */
export function RulePicker(props: ChoiceProps) {
  const { t } = useTranslation();
  const label = t("search.hunt.rules.choose");
  return (
    <Pop label={label} text={label} icon="detections" title={label} width={440} placement="bottom start" quiet={false}>
      {() => <Picker {...props} />}
    </Pop>
  );
}

function Picker({ chosen, onChange }: ChoiceProps) {
  const { t } = useTranslation();
  const [filter, setFilter] = useState("");
  const query = useQuery(rulesQuery());
  return (
    <div className={styles.picker}>
      <SearchField label={t("search.hunt.rules.find")} value={filter} onSubmit={setFilter} live icon="search" autoFocus />
      <Loaded query={query} rows={8}>
        {(page) => <Choices rules={page.items.filter(canRun)} filter={filter} chosen={chosen} onChange={onChange} />}
      </Loaded>
    </div>
  );
}

function Choices({ rules, filter, chosen, onChange }: ChoiceProps & { rules: RuleSummary[]; filter: string }) {
  const { t } = useTranslation();
  const wanted = filter.trim().toLowerCase();
  const found = rules.filter((rule) => rule.title.toLowerCase().includes(wanted) || rule.id.toLowerCase().includes(wanted));
  if (found.length === 0) return <p className={styles.note}>{t("search.hunt.rules.none_found")}</p>;
  const more = found.length - SHOWN_MAX;
  return (
    <>
      <ul className={styles.choices} aria-label={t("search.hunt.rules.rules")}>
        {found.slice(0, SHOWN_MAX).map((rule) => (
          <li key={rule.id}>
            <label>
              <input
                type="checkbox"
                checked={chosen.includes(rule.id)}
                onChange={(event) => onChange(event.target.checked ? [...chosen, rule.id] : chosen.filter((one) => one !== rule.id))}
              />
              {rule.level ? <SeverityMark value={rule.level} bare /> : <span />}
              <span className="clip" title={oneLine(rule.title)}>
                {oneLine(rule.title || rule.id)}
              </span>
            </label>
          </li>
        ))}
      </ul>
      {more > 0 && <p className={styles.note}>{t("search.picker.narrow", { count: more, number: count(more) })}</p>}
    </>
  );
}
