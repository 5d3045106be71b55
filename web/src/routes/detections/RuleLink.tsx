// A rule's name: a link to its page where it has one, which rules that are not in force have not.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { rulesQuery } from "@/api/queries";
import { oneLine } from "@/lib/raw";
import styles from "./RuleLink.module.css";

/** The titles of the rules that have a page, by id; `undefined` until they are known. */
export function useRuleTitles(): ReadonlyMap<string, string> | undefined {
  const { data } = useQuery(rulesQuery());
  return useMemo(() => data && new Map(data.items.flatMap((rule) => (rule.id ? [[rule.id, rule.title]] : []))), [data]);
}

/**
 * `text` is shown, and the title of the rule where there is none; `finding` is the one explained on its page.
 * In a table's row, which is opened by itself, the link is no stop of its own (`tabIndex` -1).
 */
export function RuleLink({ id, text, finding, className = styles.name, tabIndex }: {
  id: string;
  text?: string;
  finding?: string;
  className?: string | undefined;
  tabIndex?: -1;
}) {
  const titles = useRuleTitles();
  const shown = oneLine(text || titles?.get(id) || id);
  if (titles?.has(id)) {
    return (
      <Link to="/detections/$id" params={{ id }} search={{ finding }} className={className} title={shown} tabIndex={tabIndex}>
        <bdi>{shown}</bdi>
      </Link>
    );
  }
  return (
    <>
      <span className={className} title={shown}>
        <bdi>{shown}</bdi>
      </span>
      {titles && <NotInForce id={id} />}
    </>
  );
}

/** Says that a rule has no page. */
export function NotInForce({ id }: { id: string }) {
  const { t } = useTranslation();
  return (
    <span className={styles.gone} title={t("detections.not_in_force_hint", { id: oneLine(id) })}>
      {t("detections.not_in_force")}
    </span>
  );
}
