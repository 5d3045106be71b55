// The route tree: a page is one `route.ts` in its folder and one line here.
import { createRouter } from "@tanstack/react-router";
import { accountRoute } from "@/routes/account/route";
import { detectionRoute, detectionsRoute } from "@/routes/detections/route";
import { entitiesRoute, entityRoute } from "@/routes/entities/route";
import { incidentRoute, incidentsRoute } from "@/routes/incidents/route";
import { notificationsRoute } from "@/routes/notifications/route";
import { overviewRoute } from "@/routes/overview/route";
import { reparseRoute } from "@/routes/reparse/route";
import { searchRoute } from "@/routes/search/route";
import { signInRoute } from "@/routes/sign-in/route";
import { parseSearch, stringifySearch } from "./address";
import { createClient } from "./client";
import { rootRoute, shellRoute } from "./root";
import { RouteError } from "./RouteError";

export const client = createClient(() => {
  const { pathname, href } = router.state.location;
  if (pathname !== "/sign-in") void router.navigate({ to: "/sign-in", search: { back: href } });
});

const tree = rootRoute.addChildren([
  signInRoute,
  shellRoute.addChildren([
    accountRoute,
    overviewRoute,
    incidentsRoute,
    incidentRoute,
    searchRoute,
    detectionsRoute,
    detectionRoute,
    entitiesRoute,
    entityRoute,
    notificationsRoute,
    reparseRoute,
  ]),
]);

export const router = createRouter({
  routeTree: tree,
  context: { client },
  parseSearch,
  stringifySearch,
  // A page that fails leaves the shell with its banner standing.
  defaultErrorComponent: RouteError,
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  defaultPendingMs: 200,
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
