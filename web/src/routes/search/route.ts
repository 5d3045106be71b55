// `/search`: searching events, asking with pipes, hunting for indicators or with rules; the whole view is in the address.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "@/app/root";
import { oneOf, text } from "@/lib/params";
import { LIMITS } from "./limits";

export interface SearchSearch {
  /** The tab; searching where absent. */
  view?: "pipe" | "hunt" | undefined;
  /** The search. */
  q?: string | undefined;
  /** The range of time: RFC 3339 in UTC, or counted from now such as `-1h`. */
  from?: string | undefined;
  until?: string | undefined;
  /** Columns of the table, with commas between. */
  cols?: string | undefined;
  /** The column sorted by, `-` before it for descending; newest first where absent. */
  sort?: string | undefined;
  /** Most events shown. */
  limit?: number | undefined;
  /** Fields counted at the side, with commas between. */
  fields?: string | undefined;
  /** The event that is open. */
  event?: string | undefined;
  /** The background search whose events are shown. */
  job?: string | undefined;
  /** The pipe. */
  pipe?: string | undefined;
  /** Indicators hunted for, where they are short enough for a link. */
  hunt?: string | undefined;
  /** Hunt for what is too wide, too. */
  wide?: boolean | undefined;
  /** What is hunted with; indicators where absent. */
  by?: "rules" | undefined;
  /** Ids of rules in force that are run over the past, with commas between. */
  rule?: string | undefined;
  /** A rule's text, where it is short enough for a link. */
  sigma?: string | undefined;
  /** The run of rules over the past whose findings are shown. */
  run?: string | undefined;
  /** The finding of the run that is explained; the first where absent. */
  finding?: string | undefined;
}

export const searchRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/search",
  validateSearch: (search: Record<string, unknown>): SearchSearch => ({
    view: oneOf(search.view, ["pipe", "hunt"]),
    q: text(search.q),
    from: text(search.from),
    until: text(search.until),
    cols: text(search.cols),
    sort: text(search.sort),
    limit: LIMITS.find((limit) => limit === Number(search.limit)),
    fields: text(search.fields),
    event: text(search.event),
    job: text(search.job),
    pipe: text(search.pipe),
    hunt: text(search.hunt),
    wide: search.wide === true || search.wide === "true" ? true : undefined,
    by: oneOf(search.by, ["rules"]) ?? (text(search.rule) || text(search.sigma) || text(search.run) ? "rules" : undefined),
    rule: text(search.rule),
    sigma: text(search.sigma),
    run: text(search.run),
    finding: text(search.finding),
  }),
  component: lazyRouteComponent(() => import("./SearchPage"), "SearchPage"),
});
