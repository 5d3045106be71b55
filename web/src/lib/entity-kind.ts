// Guesses what kind of entity a typed text names.
import type { EntityKind } from "@/api/types";

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$/;
const IPV6 = /^(?=.*:.*:)[0-9a-f:.]+$/i;
const DOMAIN = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}$/i;

/** An address or a domain by its form; hosts and accounts have none of their own. */
export function entityKindOf(text: string): EntityKind | undefined {
  if (IPV4.test(text) || IPV6.test(text)) return "ip";
  return DOMAIN.test(text) ? "domain" : undefined;
}
