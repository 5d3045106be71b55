// Why a rule could not be loaded, beside the list: file, line, code, message, and the text around the line.
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, type RefObject, useId } from "react";
import { useTranslation } from "react-i18next";
import { ruleQuery } from "@/api/queries";
import type { RuleProblem, RuleSummary } from "@/api/types";
import { Button, CopyButton, Empty, Loaded } from "@/components";
import { oneLine } from "@/lib/raw";
import styles from "./FaultPanel.module.css";
import { RuleText } from "./RuleText";

export type FaultyRule = RuleSummary & { error: RuleProblem };

/** `rule` is nothing where the fault is gone; `textId` names a rule in its file. `box` gets the panel, which can have the focus. */
export function FaultPanel({ rule, textId, box, onClose }: {
  rule: FaultyRule | undefined;
  textId: string | undefined;
  box: RefObject<HTMLElement | null>;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const label = useId();
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") onClose();
  };
  return (
    <section ref={box} className={styles.panel} tabIndex={-1} aria-labelledby={label} onKeyDown={onKeyDown}>
      <header className={styles.head}>
        <h2 id={label} className="clip">
          {rule ? oneLine(rule.title || rule.path) : t("detections.fault_gone")}
        </h2>
        <span className={styles.space} />
        <Button kind="quiet" icon="close" hint={t("action.close")} onPress={onClose} />
      </header>
      {rule ? (
        <>
          <Facts rule={rule} />
          {textId ? <FileText rule={rule} id={textId} /> : <NoText />}
        </>
      ) : (
        <Empty reason="data">
          <p>{t("detections.fault_gone_hint")}</p>
        </Empty>
      )}
    </section>
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

/** The server tells a file's text by the id of a rule in it. */
function FileText({ rule, id }: { rule: FaultyRule; id: string }) {
  const query = useQuery(ruleQuery(id));
  return (
    <Loaded query={query} rows={12}>
      {({ data }) => (data.path === rule.path && data.text !== "" ? <RuleText text={data.text} id={rule.id} error={rule.error} /> : <NoText />)}
    </Loaded>
  );
}

function NoText() {
  const { t } = useTranslation();
  return <p className={styles.none}>{t("detections.fault_no_text")}</p>;
}
