// Words of the server's vocabulary in the viewer's language.
import { useTranslation } from "react-i18next";
import type { EntityKind, IncidentState, IncidentVerdict, Outcome, PrincipalRole, Severity, Verdict3 } from "@/api/types";

type Words = {
  severity: Severity;
  verdict: Verdict3;
  outcome: Outcome;
  incident_state: IncidentState;
  incident_verdict: IncidentVerdict;
  role: PrincipalRole;
  entity_kind: EntityKind;
};

/** `word("severity", "high")`; what this console does not know is shown as the server says it. */
export function useWord(): <K extends keyof Words>(group: K, value: Words[K]) => string {
  const { t } = useTranslation();
  return (group, value) => t(`${group}.${value}` as "severity.high", { defaultValue: value });
}

/** An ATT&CK tactic's name (`"Initial Access"` or `"initial_access"`) in the viewer's language. */
export function useTacticName(): (name: string) => string {
  const { t } = useTranslation();
  return (name) => t(`tactic.${name.toLowerCase().replace(/[ -]/g, "_")}` as "tactic.impact", { defaultValue: name });
}

/** The severity word of an OCSF `severity_id`. */
export function severityOf(id: number): Severity {
  return (["informational", "informational", "low", "medium", "high", "critical"] as const)[id] ?? "informational";
}

/** The title, or other text, in the viewer's language, of objects that carry both. */
export function useLocalText(): (en: string, ja: string | undefined) => string {
  const { i18n } = useTranslation();
  return (en, ja) => (i18n.language === "ja" && ja ? ja : en);
}
