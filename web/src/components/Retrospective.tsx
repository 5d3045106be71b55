// Marks a finding for which a rule was run over the past.
import { useTranslation } from "react-i18next";
import { Icon } from "./Icon";
import styles from "./Retrospective.module.css";

/** `bare` leaves the word to a tooltip and to screen readers. */
export function Retrospective({ bare = false }: { bare?: boolean }) {
  const { t } = useTranslation();
  return (
    <span className={styles.badge} title={t("retrospective.hint")}>
      <Icon name="history" size={12} />
      <span className={bare ? "visually-hidden" : undefined}>{t("retrospective.label")}</span>
    </span>
  );
}
