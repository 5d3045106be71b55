// How an incident stands in front of the viewer: what a change of it is made from and guarded by.
import type { Decision, Incident } from "@/api/types";

export interface Target {
  id: string;
  tenant: string;
}

/** A row of the queue is one as it is. */
export type Held = Target & Pick<Decision, "state" | "verdict" | "owner" | "version">;

export function heldOf({ metadata, decision }: Pick<Incident, "metadata" | "decision">): Held {
  const { state, verdict, owner, version } = decision;
  return { id: metadata.uid, tenant: metadata.tenant_uid, state, verdict, owner, version };
}

/** The ETag of an incident at a version. */
export function etagOf(version: number): string {
  return `"d${version}"`;
}

/** Longest name of an owner, in characters. */
export const OWNER_CHARS_MAX = 64;

/**
 * What to send for a name that was typed: the name without blanks around it, `null` for nobody,
 * `undefined` where the server would refuse it.
 */
export function ownerOf(typed: string): string | null | undefined {
  const name = typed.trim();
  if (name === "") return null;
  return [...name].length > OWNER_CHARS_MAX || /\p{Cc}/u.test(name) || name === "none" ? undefined : name;
}

/** Whether taking it over would take it from somebody else. */
export function isOthers(held: Held, me: string | undefined): boolean {
  return held.owner !== null && held.owner !== me;
}

/** Whether the viewer works on it, so that there is nothing to take. */
export function isTaken(held: Held, me: string | undefined): boolean {
  return held.owner !== null && held.owner === me && held.state === "in_progress";
}
