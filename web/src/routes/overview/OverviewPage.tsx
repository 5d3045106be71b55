// The overview: the funnel, what needs somebody, the feeds, and how the platform is; all live.
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { overviewQuery } from "@/api/queries";
import { Page } from "@/app/Page";
import { Loaded } from "@/components";
import { Attention } from "./Attention";
import { Feeds } from "./Feeds";
import { Funnel } from "./Funnel";
import styles from "./Overview.module.css";
import { RateChart } from "./RateChart";
import { Alarm, System } from "./System";

export function OverviewPage() {
  const { t } = useTranslation();
  const query = useQuery(overviewQuery());
  return (
    <Page title={t("page.overview")} fill>
      <Loaded query={query} rows={24}>
        {(overview) => (
          <div className={styles.page}>
            <Alarm pipeline={overview.pipeline} disk={overview.disk} />
            <div className={styles.grid}>
              <Funnel funnel={overview.funnel} rates={overview.rates} books={overview.books} attention={overview.attention.length} />
              <Attention incidents={overview.attention} />
              <Feeds feeds={overview.feeds} books={overview.books} started={overview.started_time_dt} />
              <RateChart className={styles.chart} series={overview.series} />
              <System
                className={styles.system}
                pipeline={overview.pipeline}
                memory={overview.memory}
                disk={overview.disk}
                version={overview.version}
                started_time_dt={overview.started_time_dt}
              />
            </div>
          </div>
        )}
      </Loaded>
    </Page>
  );
}
