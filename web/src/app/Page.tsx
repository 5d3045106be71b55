// The frame of a page inside the shell: its title in the tab and, where wanted, above its content.
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import styles from "./Page.module.css";

export function Page({ title, heading, aside, children, fill = false }: {
  /** Names the tab; is the page's `h1`, hidden unless `heading` is given. */
  title: string;
  /** Shown as the heading; `true` shows the title. */
  heading?: ReactNode;
  /** At the right of the heading. */
  aside?: ReactNode;
  children: ReactNode;
  /** The page itself does not scroll; its parts do. */
  fill?: boolean;
}) {
  const { t } = useTranslation();
  useEffect(() => {
    document.title = t("app.page_title", { page: title });
  }, [title, t]);
  return (
    <div className={[styles.page, fill ? styles.fill : ""].join(" ")}>
      {heading ? (
        <header className={styles.head}>
          <h1>{heading === true ? title : heading}</h1>
          {aside && <div className={styles.aside}>{aside}</div>}
        </header>
      ) : (
        <h1 className="visually-hidden">{title}</h1>
      )}
      {children}
    </div>
  );
}
