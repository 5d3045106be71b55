// Why a rule could not be loaded, beside the list: file, line, code, message, and the text around the line.
import { useQuery } from "@tanstack/react-query";
import type { RefObject } from "react";
import { useTranslation } from "react-i18next";
import { ApiProblem } from "@/api/problem";
import { ruleFileQuery } from "@/api/queries";
import type { RuleProblem, RuleSummary } from "@/api/types";
import { CopyButton, Empty, Loaded, SidePanel } from "@/components";
import { oneLine } from "@/lib/raw";
import styles from "./FaultPanel.module.css";
import { RuleText } from "./RuleText";

export type FaultyRule = RuleSummary & { error: RuleProblem };

/** `rule` is nothing where the fault is gone. `box` gets the panel, which can have the focus. */
export function FaultPanel({ rule, box, onClose }: {
  rule: FaultyRule | undefined;
  box: RefObject<HTMLElement | null>;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const title = rule ? oneLine(rule.title || rule.path) : t("detections.fault_gone");
  return (
    <SidePanel label={title} head={<h2 className="clip">{title}</h2>} onClose={onClose} box={box} within>
      {rule ? (
        <>
          <Facts rule={rule} />
          <FileText rule={rule} />
        </>
      ) : (
        <Empty reason="data">
          <p>{t("detections.fault_gone_hint")}</p>
        </Empty>
      )}
    </SidePanel>
  );
}

function Facts({ rule }: { rule: FaultyRule }) {
  const { t } = useTranslation();
  return (
    <dl className={styles.facts}>
      <div>
        <dt>{t("detections.path")}</dt>
        <dd>
          <code>{oneLine(rule.path)}</code>
          <CopyButton text={rule.path} label={t("detections.copy_path")} />
        </dd>
      </div>
      <div>
        <dt>{t("detections.at_line")}</dt>
        <dd className="num">{rule.error.line ?? "–"}</dd>
      </div>
      <div>
        <dt>{t("state.code")}</dt>
        <dd>
          <code>{rule.error.code}</code>
        </dd>
      </div>
      <div>
        <dt>{t("detections.problem")}</dt>
        <dd>{oneLine(rule.error.message)}</dd>
      </div>
    </dl>
  );
}

function FileText({ rule }: { rule: FaultyRule }) {
  const { t } = useTranslation();
  const query = useQuery(ruleFileQuery(rule.path));
  if (query.error instanceof ApiProblem && query.error.status === 404) return <p className={styles.none}>{t("detections.fault_no_text")}</p>;
  return (
    <Loaded query={query} rows={12}>
      {(file) => (
        <>
          {file.truncated && <p className={styles.none}>{t("detections.fault_text_cut")}</p>}
          <RuleText text={file.text} id={rule.id} error={rule.error} />
        </>
      )}
    </Loaded>
  );
}
