// What stands at the address of a rule that is not in force: why that may be, the way back, and what it found.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { findingsQuery } from "@/api/queries";
import { CopyButton, Icon } from "@/components";
import { oneLine } from "@/lib/raw";
import styles from "./Detection.module.css";
import { Findings } from "./Findings";
import { detectionRoute } from "./route";

export function UnknownRule({ id }: { id: string }) {
  const { t } = useTranslation();
  const { finding } = detectionRoute.useSearch();
  const query = useInfiniteQuery(findingsQuery({ rule: id }));
  const found = query.data?.pages.some((page) => page.items.length > 0) ?? false;
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <div className={styles.what}>
          <p className={styles.crumbs}>
            <Link to="/detections">{t("page.detections")}</Link>
            <Icon name="right" size={12} />
            <code>{oneLine(id)}</code>
            <CopyButton text={id} label={t("detections.copy_id")} />
          </p>
          <p className={styles.name} aria-hidden="true">
            {t("detections.unknown_title")}
          </p>
          <div role="status">
            <p>{t("detections.unknown", { id: oneLine(id) })}</p>
            <p className="muted">{found || finding !== undefined ? t("detections.unknown_found") : query.data ? t("detections.unknown_nothing") : ""}</p>
          </div>
          <p className={styles.back}>
            <Link to="/detections">{t("detections.back")}</Link>
            <Link to="/detections" search={{ state: "broken" }}>
              {t("detections.unknown_faulty")}
            </Link>
          </p>
        </div>
      </header>
      {(found || finding !== undefined) && <Findings rule={id} />}
    </div>
  );
}
