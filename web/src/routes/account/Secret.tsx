// The secret of a new token, shown this once.
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { NewToken } from "@/api/types";
import { Button, CopyButton } from "@/components";
import { oneLine } from "@/lib/raw";
import styles from "./Account.module.css";

export function Secret({ token, onClose }: { token: NewToken; onClose: () => void }) {
  const { t } = useTranslation();
  const box = useRef<HTMLElement>(null);
  useEffect(() => box.current?.focus(), [token.id]);
  return (
    <section ref={box} className={styles.secret} tabIndex={-1} aria-labelledby="secret-title">
      <div className={styles.secretHead}>
        <h2 id="secret-title">{t("account_page.made", { name: oneLine(token.name) })}</h2>
        <Button onPress={onClose}>{t("account_page.kept")}</Button>
      </div>
      <p>{t("account_page.once")}</p>
      <div className={styles.secretText}>
        <code translate="no">{token.token}</code>
        <CopyButton text={token.token} label={t("account_page.copy")} />
      </div>
      <p className="muted">{t("account_page.use")}</p>
      <code className={styles.example} translate="no">
        {t("account_page.header", { start: token.token.slice(0, 8) })}
      </code>
    </section>
  );
}
