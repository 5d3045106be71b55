// Parsing kept records again after a source definition has changed: what, at which cost, and how far it is.
import { useTranslation } from "react-i18next";
import { ApiProblem } from "@/api/problem";
import { Page } from "@/app/Page";
import { Empty, Panel } from "@/components";
import { Ask } from "./Ask";
import { LastRun } from "./LastRun";
import styles from "./Reparse.module.css";
import { isOver } from "./reparse";
import { useLastReparse } from "./useReparse";

const FORBIDDEN = 403;

export function ReparsePage() {
  const { t } = useTranslation();
  const last = useLastReparse();
  const barred = last.error instanceof ApiProblem && last.error.status === FORBIDDEN;
  const running = last.data ? !isOver(last.data) : false;
  return (
    <Page title={t("page.reparse")} heading>
      <div className={styles.page}>
        <div className={styles.about}>
          <p>{t("reparse.about")}</p>
          <p className="muted">{t("reparse.all_tenants")}</p>
        </div>
        {barred ? (
          <Panel>
            <Empty reason="permission">
              <p>{t("reparse.permission")}</p>
            </Empty>
          </Panel>
        ) : (
          <div className={styles.columns}>
            <Ask running={running} />
            <LastRun query={last} />
          </div>
        )}
      </div>
    </Page>
  );
}
