// The verdict on each entity of an incident, and the waterfall of the chosen one.
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Incident, Standing } from "@/api/types";
import { Empty, Panel, VerdictMark } from "@/components";
import { useWord } from "@/i18n/words";
import { percent } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { Waterfall } from "@/routes/entities/Waterfall";
import { entityKey } from "./timeline/lanes";
import styles from "./VerdictPanel.module.css";

export function VerdictPanel({ incident, who, step, onWho, onStep, className }: {
  incident: Incident;
  who: string | undefined;
  step: string | undefined;
  onWho: (key: string) => void;
  onStep: (finding: string) => void;
  className: string | undefined;
}) {
  const { t } = useTranslation();
  const word = useWord();
  const standings = useMemo(() => inOrder(incident), [incident]);
  const roles = useMemo(() => new Map(incident.principals.map((one) => [entityKey(one), one.role])), [incident]);
  const chosen = standings.find((one) => keyOfStanding(one) === who);
  return (
    <Panel
      className={className}
      title={t("incidents.why")}
      flush
      aside={
        chosen && (
          <Link to="/entities/$kind/$value" params={{ kind: chosen.entity.kind, value: chosen.entity.value }} search={{ of: incident.metadata.tenant_uid }}>
            {t("incidents.open_entity")}
          </Link>
        )
      }
    >
      <div className={styles.split}>
        <ul className={styles.list} aria-label={t("incidents.entities")}>
          {standings.map((one) => {
            const key = keyOfStanding(one);
            const role = roles.get(key);
            return (
              <li key={key}>
                <button type="button" className={styles.entity} aria-pressed={key === who} onClick={() => onWho(key)}>
                  <VerdictMark value={one.verdict} bare />
                  <span className={styles.name}>
                    <bdi>{oneLine(one.entity.value)}</bdi>
                    <span className={styles.role}>{role ? word("role", role) : word("entity_kind", one.entity.kind)}</span>
                  </span>
                  <span className={styles.share}>{percent(one.probability)}</span>
                </button>
              </li>
            );
          })}
        </ul>
        <div className={styles.fall}>
          {chosen ? <Waterfall key={who} standing={chosen} step={step} onStep={onStep} /> : <Empty reason="data">{who && <p>{t("incidents.no_standing")}</p>}</Empty>}
        </div>
      </div>
    </Panel>
  );
}

function keyOfStanding(standing: Standing): string {
  return entityKey({ type: standing.entity.kind, value: standing.entity.value });
}

/** Principals first and in their order, then the others from the most suspect on. */
function inOrder(incident: Incident): Standing[] {
  const place = new Map(incident.principals.map((one, i) => [entityKey(one), i]));
  const rank = (one: Standing) => place.get(keyOfStanding(one)) ?? place.size;
  return [...incident.standings].sort((a, b) => rank(a) - rank(b) || b.posterior - a.posterior);
}
