// `/incidents` and `/incidents/$id`: the queue, and one incident.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "@/app/root";
import { oneOf, text } from "@/lib/params";
import { OWNER_FILTERS, type OwnerFilter, STATE_FILTERS, type StateFilter } from "./queue";

export interface IncidentsSearch {
  /** Absent: open ones. */
  state?: StateFilter | undefined;
  /** Severities, comma separated; absent: all. */
  severity?: string | undefined;
  /** Whose they are; absent: anybody's. */
  owner?: OwnerFilter | undefined;
  /** Words that must occur. */
  filter?: string | undefined;
  /** A column, with `-` before it for descending. */
  sort?: string | undefined;
  /** The incident previewed beside the list, as `tenant/id`. */
  peek?: string | undefined;
}

export const incidentsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/incidents",
  validateSearch: (search: Record<string, unknown>): IncidentsSearch => ({
    state: oneOf(search.state, STATE_FILTERS),
    severity: text(search.severity),
    owner: oneOf(search.owner, OWNER_FILTERS),
    filter: text(search.filter),
    sort: text(search.sort),
    peek: text(search.peek),
  }),
  component: lazyRouteComponent(() => import("./IncidentsPage"), "IncidentsPage"),
});

export interface IncidentSearch {
  /** The tenant that the incident is of: every tenant numbers its own. */
  of?: string | undefined;
  /** The chosen finding of the timeline. */
  step?: string | undefined;
  /** The entity whose verdict is explained, as `kind:value`. */
  who?: string | undefined;
  /** The part of the timeline that is looked at, as `ms-ms`. */
  span?: string | undefined;
  /** Only steps of this tactic. */
  tactic?: string | undefined;
  /** How relations are shown; absent: as a graph. */
  relations?: "list" | undefined;
}

export const incidentRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/incidents/$id",
  validateSearch: (search: Record<string, unknown>): IncidentSearch => ({
    of: text(search.of),
    step: text(search.step),
    who: text(search.who),
    span: text(search.span),
    tactic: text(search.tactic),
    relations: oneOf(search.relations, ["list"]),
  }),
  component: lazyRouteComponent(() => import("./IncidentPage"), "IncidentPage"),
});
