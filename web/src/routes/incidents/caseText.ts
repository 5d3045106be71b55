// An incident as plain text, for mail and tickets.
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Decision, Incident, Note } from "@/api/types";
import { severityOf, useLocalText, useTacticName, useWord } from "@/i18n/words";
import { percent } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { useSettings } from "@/lib/settings";
import { timeText } from "@/lib/time";
import { type Change, changesOf } from "./changes";
import { chainOf } from "./tactics";

/** The technique ids of an incident, sub-techniques for themselves. */
export function techniquesOf(incident: Pick<Incident, "attacks">): string[] {
  const ids = incident.attacks.map((attack) => attack.sub_technique?.uid ?? attack.technique?.uid);
  return [...new Set(ids.filter((id) => id !== undefined))];
}

export interface CaseSection {
  title: string;
  lines: readonly string[];
}

/** Title, facts and sections as one text; what is empty is left out. */
export function caseText(title: string, facts: readonly (readonly [string, string])[], sections: readonly CaseSection[]): string {
  const width = Math.max(...facts.map(([name]) => columnsOf(name)));
  const head = facts.filter(([, value]) => value !== "").map(([name, value]) => `${name}${" ".repeat(width - columnsOf(name))}  ${value}`);
  const parts = sections.filter((section) => section.lines.length > 0).map((section) => [section.title, ...section.lines.map((line) => `  ${line}`)].join("\n"));
  return `${[[title, ...head].join("\n"), ...parts].join("\n\n")}\n`;
}

/** How many columns of a fixed-width font a text takes: East Asian characters take two. */
function columnsOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(character) ? 2 : 1), 0);
}

/** The text in the viewer's language and zone. */
export function useCaseText(incident: Incident, notes: readonly Note[], decisions: readonly Decision[]): string {
  const { t } = useTranslation();
  const word = useWord();
  const local = useLocalText();
  const tactic = useTacticName();
  const { zone } = useSettings();
  return useMemo(() => {
    const time = (text: string | null) => (text === null ? "" : timeText(Date.parse(text), zone));
    const { decision, metadata, principals, timeline } = incident;
    const title = `[${metadata.uid}] ${oneLine(local(incident.title, incident.title_ja))}`;
    const tactics = chainOf(timeline).flatMap((link) => (link.findings > 0 ? link.tactic : []));
    const facts = [
      [t("severity.label"), word("severity", severityOf(incident.severity_id))],
      [t("outcome.label"), word("outcome", incident.outcome)],
      [t("incidents.state"), word("incident_state", decision.state)],
      [t("incidents.verdict"), decision.verdict ? word("incident_verdict", decision.verdict) : t("incidents.no_verdict")],
      [t("incidents.owner"), oneLine(decision.owner ?? "")],
      [t("incidents.began"), time(incident.start_time_dt)],
      [t("incidents.ended"), time(incident.end_time_dt)],
      [t("tenant.label"), oneLine(metadata.tenant_uid)],
      [t("incidents.tactics"), tactics.map(tactic).join(" → ")],
      [t("incidents.techniques"), techniquesOf(incident).join(", ")],
    ] as const;
    const said = ({ decision: one, decided, given }: Change) => [
      time(one.time_dt),
      oneLine(one.by ?? ""),
      decided && word("incident_state", one.state),
      decided && one.verdict && word("incident_verdict", one.verdict),
      given && (one.owner === null ? t("incidents.given_nobody") : t("incidents.given", { user: oneLine(one.owner) })),
      oneLine(one.reason),
    ];
    return caseText(title, facts, [
      { title: t("incidents.summary"), lines: [oneLine(local(incident.desc, incident.desc_ja))] },
      {
        title: t("incidents.principals"),
        lines: principals.map((one) => `${oneLine(one.value)} (${word("role", one.role)}): ${word("verdict", one.verdict)} ${percent(one.probability)}`),
      },
      {
        title: t("incidents.timeline"),
        lines: timeline.map((step) => `${time(step.time_dt)}  ${oneLine(step.title)} ×${step.count} (${word("outcome", step.outcome)}) ${step.entities.map((one) => oneLine(one.value)).join(", ")}`),
      },
      { title: t("incidents.notes"), lines: notes.map((note) => `${time(note.time_dt)}  ${oneLine(note.by)}: ${oneLine(note.text)}`) },
      { title: t("incidents.history"), lines: changesOf(decisions).map((one) => said(one).filter(Boolean).join("  ")) },
    ]);
  }, [incident, notes, decisions, zone, t]);
}
