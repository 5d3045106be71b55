// Asks which tenant's incident is meant where several have one of this number.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { incidentsQuery } from "@/api/queries";
import { Loaded, Panel } from "@/components";
import { IncidentList } from "./IncidentList";

export function WhichTenant({ id }: { id: string }) {
  const { t } = useTranslation();
  const query = useInfiniteQuery(incidentsQuery("all"));
  return (
    <Panel title={t("incidents.which_tenant", { id })}>
      <Loaded query={query} rows={3}>
        {({ pages }) => <IncidentList incidents={pages.flatMap((page) => page.items).filter((one) => one.id === id)} tenants />}
      </Loaded>
    </Panel>
  );
}
