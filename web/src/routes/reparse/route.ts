// `/reparse`: kept records are parsed again, after a source definition has changed.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "@/app/root";
import { text } from "@/lib/params";

export interface ReparseSearch {
  /** Names of sources, with commas between; all where absent. */
  source?: string | undefined;
  /** First and last day of receipt, such as `2026-11-02`. */
  from?: string | undefined;
  until?: string | undefined;
}

export const reparseRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/reparse",
  validateSearch: (search: Record<string, unknown>): ReparseSearch => ({
    source: text(search.source),
    from: text(search.from),
    until: text(search.until),
  }),
  component: lazyRouteComponent(() => import("./ReparsePage"), "ReparsePage"),
});
