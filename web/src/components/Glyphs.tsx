// Severity, verdict and outcome: a glyph with its colour, and always the word.
import { useTranslation } from "react-i18next";
import type { Outcome, Severity, Verdict3 } from "@/api/types";
import { useWord } from "@/i18n/words";
import styles from "./Glyphs.module.css";

const SEVERITY: Record<Severity, string> = { critical: "◆", high: "▲", medium: "●", low: "▽", informational: "○" };
const VERDICT: Record<Verdict3, string> = { black: "■", grey: "◧", white: "□" };
const OUTCOME: Record<Outcome, string> = { succeeded: "✓", attempted: "→", blocked: "⊘", unknown: "?" };

interface MarkProps<T> {
  value: T;
  /** Only the glyph; the word goes into a tooltip and to screen readers. */
  bare?: boolean;
}

export function SeverityMark({ value, bare }: MarkProps<Severity>) {
  const { t } = useTranslation();
  return <Glyph glyph={SEVERITY[value]} tone={value} word={useWord()("severity", value)} group={t("severity.label")} bare={bare} />;
}

export function VerdictMark({ value, bare }: MarkProps<Verdict3>) {
  const { t } = useTranslation();
  return <Glyph glyph={VERDICT[value]} tone={value} word={useWord()("verdict", value)} group={t("verdict.label")} bare={bare} />;
}

export function OutcomeMark({ value, bare }: MarkProps<Outcome>) {
  const { t } = useTranslation();
  return <Glyph glyph={OUTCOME[value]} tone="plain" word={useWord()("outcome", value)} group={t("outcome.label")} bare={bare} />;
}

function Glyph({ glyph, tone, word, group, bare }: {
  glyph: string | undefined;
  tone: string;
  word: string;
  group: string;
  bare?: boolean | undefined;
}) {
  return (
    <span className={styles.mark} title={`${group}: ${word}`}>
      <span className={[styles.glyph, styles[tone]].join(" ")} aria-hidden="true">
        {glyph ?? "?"}
      </span>
      <span className={bare ? "visually-hidden" : undefined}>{word}</span>
    </span>
  );
}
