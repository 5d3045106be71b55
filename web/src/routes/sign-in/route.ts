// `/sign-in`: outside the shell; `back` is where one was.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "@/app/root";
import { text } from "@/lib/params";

export const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { back?: string | undefined } => ({ back: text(search.back) }),
  component: lazyRouteComponent(() => import("./SignInPage"), "SignInPage"),
});
