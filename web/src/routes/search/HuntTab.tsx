// Hunting: for pasted indicators, or with rules that are run over the past.
import { useTranslation } from "react-i18next";
import styles from "./HuntTab.module.css";
import { IndicatorHunt } from "./IndicatorHunt";
import { RuleHuntTab } from "./rules/RuleHuntTab";
import { useView } from "./useView";

export function HuntTab() {
  const { view } = useView();
  return view.by === "rules" ? <RuleHuntTab head={<Kinds />} /> : <IndicatorHunt head={<Kinds />} />;
}

function Kinds() {
  const { t } = useTranslation();
  const { view, set } = useView();
  const byRules = view.by === "rules";
  return (
    <div className={styles.kinds} role="group" aria-label={t("search.hunt.with")}>
      <button type="button" aria-pressed={!byRules} onClick={() => byRules && set({ by: undefined, rule: undefined, sigma: undefined, run: undefined, finding: undefined })}>
        {t("search.hunt.indicators")}
      </button>
      <button type="button" aria-pressed={byRules} onClick={() => byRules || set({ by: "rules" })}>
        {t("search.hunt.rules.rules")}
      </button>
    </div>
  );
}
