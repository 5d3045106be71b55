// `/entities` and `/entities/$kind/$value`: whoever findings name, and one of them.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "@/app/root";
import { oneOf, text } from "@/lib/params";

export const KINDS = ["host", "user", "ip", "domain"] as const;
export const VERDICT_WORDS = ["black", "grey", "white"] as const;

export interface EntitiesSearch {
  kind?: (typeof KINDS)[number] | undefined;
  verdict?: (typeof VERDICT_WORDS)[number] | undefined;
  /** Words that must occur in the name. */
  filter?: string | undefined;
  /** A column, with `-` before it for descending. */
  sort?: string | undefined;
}

export const entitiesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/entities",
  validateSearch: (search: Record<string, unknown>): EntitiesSearch => ({
    kind: oneOf(search.kind, KINDS),
    verdict: oneOf(search.verdict, VERDICT_WORDS),
    filter: text(search.filter),
    sort: text(search.sort),
  }),
  component: lazyRouteComponent(() => import("./EntitiesPage"), "EntitiesPage"),
});

export const entityRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/entities/$kind/$value",
  validateSearch: (search: Record<string, unknown>): { of?: string | undefined } => ({ of: text(search.of) }),
  component: lazyRouteComponent(() => import("./EntityPage"), "EntityPage"),
});
