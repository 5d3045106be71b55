// The text of a rule with line numbers; a diagnostic stands below its line.
import { Fragment, useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { RuleDetail, RuleProblem } from "@/api/types";
import { Empty, Icon } from "@/components";
import { oneLine } from "@/lib/raw";
import styles from "./RuleText.module.css";
import { linesOf, type RuleLine } from "./rule-text";

export interface RuleTextProps {
  /** The file's. */
  text: string;
  /** Of the rule that is looked at. */
  id: string;
  error: RuleProblem | null;
  /** What stands below the text. */
  about?: Pick<RuleDetail, "falsepositives" | "references" | "author">;
}

export function RuleText({ text, id, error, about }: RuleTextProps) {
  const { t } = useTranslation();
  const at = error?.line ?? undefined;
  const lines = useMemo(() => linesOf(text, id, at), [text, id, at]);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const target = box.current?.querySelector("[data-fault]") ?? box.current?.querySelector("[data-own]");
    if (box.current && target instanceof HTMLElement) box.current.scrollTop = Math.max(0, target.offsetTop - 40);
  }, [lines]);
  if (text === "") return <Empty reason="data">{error && <Diagnostic problem={error} />}</Empty>;
  const placed = error !== null && error.line !== null && error.line >= 1 && error.line <= lines.length;
  return (
    <div ref={box} className={styles.box} role="group" aria-label={t("detections.text")} tabIndex={0}>
      {error && !placed && <Diagnostic problem={error} />}
      {lines.map((line) => (
        <Fragment key={line.number}>
          <Line line={line} fault={placed && error.line === line.number} />
          {placed && error.line === line.number && <Diagnostic problem={error} />}
        </Fragment>
      ))}
      {about && <About rule={about} />}
    </div>
  );
}

function Line({ line, fault }: { line: RuleLine; fault: boolean }) {
  return (
    <div className={styles.line} data-own={line.own || undefined} data-fault={fault || undefined}>
      <span className={styles.number} aria-hidden="true">
        {line.number}
      </span>
      <code className={styles.code}>
        {line.indent}
        <span className={styles.key}>{line.key}</span>
        <span>{visible(line.value)}</span>
        <span className={styles.comment}>{visible(line.comment)}</span>
      </code>
    </div>
  );
}

function Diagnostic({ problem }: { problem: RuleProblem }) {
  const { t } = useTranslation();
  return (
    <div className={styles.diagnostic} role="note">
      <Icon name="warning" size={14} />
      <span>
        {oneLine(problem.message)} <span className="muted">{t("detections.problem_code", { code: problem.code })}</span>
      </span>
    </div>
  );
}

/** What the text says that is worth reading outside of it, too: false positives and references. */
function About({ rule }: { rule: NonNullable<RuleTextProps["about"]> }) {
  const { t } = useTranslation();
  if (rule.falsepositives.length + rule.references.length === 0 && !rule.author) return null;
  return (
    <dl className={styles.about}>
      {rule.falsepositives.length > 0 && <AboutList name={t("detections.falsepositives")} items={rule.falsepositives} />}
      {rule.references.length > 0 && <AboutList name={t("detections.references")} items={rule.references} />}
      {rule.author && <AboutList name={t("detections.author")} items={[rule.author]} />}
    </dl>
  );
}

function AboutList({ name, items }: { name: string; items: string[] }) {
  return (
    <div>
      <dt>{name}</dt>
      {items.map((item) => (
        <dd key={item}>{oneLine(item)}</dd>
      ))}
    </div>
  );
}

/** Rules are files of the operator's, and may still hold characters that do not show. */
function visible(text: string): string {
  return text.trim() === "" ? text : `${/^\s*/.exec(text)?.[0] ?? ""}${oneLine(text.trim())}${/\s*$/.exec(text)?.[0] ?? ""}`;
}
