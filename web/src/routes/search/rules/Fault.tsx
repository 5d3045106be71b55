// What is wrong with a rule, with its line and the way there.
import { useTranslation } from "react-i18next";
import { Button, Icon } from "@/components";
import { cut, oneLine } from "@/lib/raw";
import type { RuleFault } from "./rule-hunt";
import styles from "./Fault.module.css";

const LINE_CHARS_MAX = 200;

export function Fault({ fault, text, onGoTo }: { fault: RuleFault; text: string; onGoTo: (line: number) => void }) {
  const { t } = useTranslation();
  const { line } = fault;
  const written = line === undefined ? undefined : text.split(/\r?\n/)[line - 1]?.trim();
  return (
    <div className={styles.fault} role="alert">
      <Icon name="warning" />
      <div>
        <p>
          {line !== undefined && <strong>{t("search.hunt.rules.at_line", { line })} </strong>}
          {oneLine(fault.message)}
        </p>
        {written && <code className={styles.line}>{oneLine(cut(written, LINE_CHARS_MAX))}</code>}
        <p className={styles.code}>
          {t("state.code")} <code>{fault.code}</code>
        </p>
      </div>
      {line !== undefined && <Button onPress={() => onGoTo(line)}>{t("search.hunt.rules.go_to_line")}</Button>}
    </div>
  );
}
