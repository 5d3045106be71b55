// What stands at an address that means nothing.
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import styles from "./Shell.module.css";

export function NotFound() {
  const { t } = useTranslation();
  useEffect(() => {
    document.title = t("app.page_title", { page: t("page.not_found") });
  }, [t]);
  return (
    <div className={styles.lonely}>
      <h1 className={styles.nothing}>{t("page.not_found")}</h1>
      <Link to="/">{t("page.back_to_overview")}</Link>
    </div>
  );
}

/** The same outside the shell, where nothing else is the page's content. */
export function NowhereAtAll() {
  return (
    <main>
      <NotFound />
    </main>
  );
}
