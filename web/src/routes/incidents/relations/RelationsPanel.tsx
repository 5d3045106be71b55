// Who the incident is about and how they relate: a graph in columns by role, or the same as a list.
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Incident } from "@/api/types";
import { Button, Empty, Panel } from "@/components";
import { relationsOf } from "./graph";
import { RelationsGraph } from "./RelationsGraph";
import { RelationsList } from "./RelationsList";

export function RelationsPanel({ incident, who, asList, onWho, onAsList, className }: {
  incident: Incident;
  who: string | undefined;
  asList: boolean;
  onWho: (key: string) => void;
  onAsList: (asList: boolean) => void;
  className: string | undefined;
}) {
  const { t } = useTranslation();
  const relations = useMemo(() => relationsOf(incident.timeline, incident.principals, incident.links), [incident]);
  return (
    <Panel
      className={className}
      title={t("incidents.relations")}
      aside={
        <Button kind="quiet" icon={asList ? "entities" : "columns"} onPress={() => onAsList(!asList)}>
          {asList ? t("incidents.as_graph") : t("incidents.as_list")}
        </Button>
      }
    >
      {relations.nodes.length === 0 ? (
        <Empty reason="data" />
      ) : asList ? (
        <RelationsList relations={relations} incident={incident} />
      ) : (
        <RelationsGraph relations={relations} who={who} onWho={onWho} />
      )}
    </Panel>
  );
}
