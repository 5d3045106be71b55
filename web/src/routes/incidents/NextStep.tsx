// The sentence that says what to do next about an incident.
import { useTranslation } from "react-i18next";
import type { IncidentState, IncidentVerdict, Outcome, Principal } from "@/api/types";
import { Icon } from "@/components";
import { oneLine } from "@/lib/raw";
import styles from "./NextStep.module.css";
import { named, nextStep } from "./next";

export interface NextStepOf {
  state: IncidentState;
  verdict: IncidentVerdict | null;
  outcome: Outcome;
  merged_into: string | null;
  principals: readonly Principal[];
}

export function NextStep({ incident }: { incident: NextStepOf }) {
  const { t } = useTranslation();
  const { state, verdict, outcome, merged_into, principals } = incident;
  const step = nextStep({ state, verdict, outcome, merged: merged_into !== null });
  const names = useNames(principals);
  const containment = useContainment(names);
  if (step === "nothing") return null;
  const contains = step === "contain" || step === "contain_now" || step === "eradicate";
  return (
    <p className={styles.next}>
      <Icon name="right" size={14} />
      <span className="visually-hidden">{t("incidents.next_step")}</span>
      <span>
        {t(`incidents.next_${step}`, { hosts: names.hosts || t("incidents.the_network"), id: merged_into ?? "" })}
        {contains && containment && <span className={styles.parts}>{containment}</span>}
      </span>
    </p>
  );
}

interface Names {
  hosts: string;
  accounts: string;
  outside: string;
}

function useNames(principals: readonly Principal[]): Names {
  const { t } = useTranslation();
  const list = (roles: Principal["role"][]) => {
    const { names, more } = named(principals, roles);
    const text = names.map(oneLine).join(t("incidents.list_comma"));
    return more > 0 ? t("incidents.and_more", { names: text, count: more }) : text;
  };
  return {
    hosts: list(["victim_host"]) || list(["targeted_host"]),
    accounts: list(["compromised_account"]),
    outside: list(["attacker_address", "destination"]),
  };
}

/** Isolate, disable, block: as far as there is something to do it to; one sentence, or nothing. */
function useContainment(names: Names): string {
  const { t, i18n } = useTranslation();
  const parts: string[] = [];
  if (names.hosts) parts.push(t("incidents.isolate", { names: names.hosts }));
  if (names.accounts) parts.push(t("incidents.disable", { names: names.accounts }));
  if (names.outside) parts.push(t("incidents.block", { names: names.outside }));
  return parts.length > 0 ? t("incidents.sentence", { text: begun(parts.join(t("incidents.and_then")), i18n.language) }) : "";
}

/** With a capital letter at the beginning, in languages whose sentences begin with a word of ours. */
function begun(text: string, language: string): string {
  return language === "ja" ? text : text.charAt(0).toUpperCase() + text.slice(1);
}
