// The roots of the route tree: everything, and what is inside the shell behind a sign-in.
import { createRootRouteWithContext, createRoute, Outlet, redirect, retainSearchParams } from "@tanstack/react-router";
import type { QueryClient } from "@tanstack/react-query";
import { setRequestTenant } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import { sessionQuery } from "@/api/queries";
import { text } from "@/lib/params";
import { RouteError } from "./RouteError";
import { NotFound, NowhereAtAll } from "./NotFound";
import { Shell } from "./Shell";

export interface RouterContext {
  client: QueryClient;
}

export const rootRoute = createRootRouteWithContext<RouterContext>()({
  component: Outlet,
  errorComponent: RouteError,
  notFoundComponent: NowhereAtAll,
});

/** Pages hang below this: it asks for the session and keeps the tenant in the address. */
export const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "shell",
  validateSearch: (search: Record<string, unknown>): { tenant?: string | undefined } => {
    const tenant = text(search.tenant);
    return tenant === undefined ? {} : { tenant };
  },
  search: { middlewares: [retainSearchParams(["tenant"])] },
  beforeLoad: async ({ context, location, preload, search }) => {
    if (!preload) setRequestTenant(search.tenant);
    try {
      await context.client.ensureQueryData(sessionQuery());
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) {
        throw redirect({ to: "/sign-in", search: { back: location.href } });
      }
      throw error;
    }
  },
  component: Shell,
  errorComponent: RouteError,
  notFoundComponent: NotFound,
});
