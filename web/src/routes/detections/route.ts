// `/detections` and `/detections/$id`: the rules, and one rule.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import type { Severity } from "@/api/types";
import { shellRoute } from "@/app/root";
import { oneOf, text } from "@/lib/params";
import { LEVELS, type RuleState, STATES, TACTICS } from "./rules";

export interface DetectionsSearch {
  /** Words that must occur. */
  filter?: string | undefined;
  level?: Severity | undefined;
  state?: RuleState | undefined;
  /** As Sigma writes it. */
  tactic?: string | undefined;
  /** A column, with `-` before it for descending; most findings first where absent. */
  sort?: string | undefined;
  /** The faulty rule that is explained, while faulty ones are shown. */
  fault?: string | undefined;
}

export const detectionsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/detections",
  validateSearch: (search: Record<string, unknown>): DetectionsSearch => ({
    filter: text(search.filter),
    level: oneOf(search.level, LEVELS),
    state: oneOf(search.state, STATES),
    tactic: oneOf(search.tactic, TACTICS),
    sort: text(search.sort),
    fault: text(search.fault),
  }),
  component: lazyRouteComponent(() => import("./DetectionsPage"), "DetectionsPage"),
});

export interface DetectionSearch {
  /** The finding that is explained; the newest where absent. */
  finding?: string | undefined;
}

export const detectionRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/detections/$id",
  validateSearch: (search: Record<string, unknown>): DetectionSearch => ({ finding: text(search.finding) }),
  component: lazyRouteComponent(() => import("./DetectionPage"), "DetectionPage"),
});
