// What parsing again comes to, and what it means, before it is begun.
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { overviewQuery } from "@/api/queries";
import type { ReparseCost } from "@/api/types";
import { Icon } from "@/components";
import { bytes, count } from "@/lib/number";
import { Fact, Facts } from "./Facts";
import styles from "./Reparse.module.css";

export function Cost({ cost }: { cost: ReparseCost }) {
  const { t } = useTranslation();
  const { data } = useQuery(overviewQuery());
  if (cost.partitions === 0) return <p className={styles.hint}>{t("reparse.nothing")}</p>;
  const free = data?.disk.free_bytes;
  return (
    <section className={styles.cost} aria-label={t("reparse.cost")}>
      <h3>{t("reparse.cost")}</h3>
      <Facts>
        <Fact name={t("reparse.records")} hint={t("reparse.records_hint")}>
          {count(cost.records)}
        </Fact>
        <Fact name={t("reparse.partitions")} hint={t("reparse.partitions_hint")}>
          {count(cost.partitions)}
        </Fact>
        <Fact name={t("reparse.bytes")}>{bytes(cost.bytes)}</Fact>
        <Fact name={t("reparse.largest")} hint={t("reparse.largest_hint")}>
          {bytes(cost.largest_bytes)} {free !== undefined && <span className="muted">({t("reparse.free", { free: bytes(free) })})</span>}
        </Fact>
      </Facts>
      {free !== undefined && free < cost.largest_bytes && (
        <p className={styles.notice} data-tone="warn">
          <Icon name="warning" /> {t("reparse.too_little", { needed: bytes(cost.largest_bytes), free: bytes(free) })}
        </p>
      )}
      <ul className={styles.means}>
        <li>{t("reparse.means_events")}</li>
        <li>{t("reparse.means_findings")}</li>
        <li>{t("reparse.means_stop")}</li>
      </ul>
    </section>
  );
}
