// `/notifications`: the channels that people and other systems are told through, and what could not be told.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "@/app/root";

export const notificationsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/notifications",
  component: lazyRouteComponent(() => import("./NotificationsPage"), "NotificationsPage"),
});
