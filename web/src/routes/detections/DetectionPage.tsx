// One rule: what it is, its Sigma text with diagnostics, what it found and why.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { ruleQuery, rulesQuery } from "@/api/queries";
import { ApiProblem } from "@/api/problem";
import type { RuleDetail } from "@/api/types";
import { Page } from "@/app/Page";
import { CopyButton, Loaded, Panel } from "@/components";
import { oneLine } from "@/lib/raw";
import styles from "./Detection.module.css";
import { Findings } from "./Findings";
import { detectionRoute } from "./route";
import { RuleHead } from "./RuleHead";
import { RuleText } from "./RuleText";
import { RunOverPast } from "./RunOverPast";
import { UnknownRule } from "./UnknownRule";

export function DetectionPage() {
  const { t } = useTranslation();
  const { id } = detectionRoute.useParams();
  const query = useQuery(ruleQuery(id));
  const unknown = query.error instanceof ApiProblem && query.error.status === 404;
  return (
    <Page title={unknown ? t("detections.unknown_title") : oneLine(query.data?.data.title || t("page.detection"))} fill>
      {unknown ? (
        <UnknownRule id={id} />
      ) : (
        <Loaded query={query} rows={22}>
          {({ data: rule }) => <Rule rule={rule} />}
        </Loaded>
      )}
    </Page>
  );
}

function Rule({ rule }: { rule: RuleDetail }) {
  const { t } = useTranslation();
  const { data } = useQuery(rulesQuery());
  const total = useMemo(() => data?.items.reduce((sum, one) => sum + one.findings, 0) ?? 0, [data]);
  return (
    <div className={styles.page}>
      <RuleHead rule={rule} total={total} />
      <div className={styles.columns}>
        <Panel
          flush
          title={t("detections.text")}
          aside={
            <>
              <code className={styles.path} title={`${oneLine(rule.path)}:${rule.line}`}>
                {oneLine(rule.path)}:{rule.line}
              </code>
              <CopyButton text={rule.text} label={t("detections.copy_text")} />
              <RunOverPast rule={rule} />
            </>
          }
        >
          <RuleText text={rule.text} id={rule.id} error={rule.error} about={rule} />
        </Panel>
        <Findings rule={rule.id} total={rule.findings} />
      </div>
    </div>
  );
}
