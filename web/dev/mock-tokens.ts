// The mock's API tokens: two to begin with, kept until the server stops.

interface Token {
  id: string;
  name: string;
  by: string;
  time_dt: string;
}

const HOUR_MS = 3_600_000;
let tokens: Token[] = [
  { id: "tok-1", name: "forwarder, Tokyo data centre", by: "admin", time_dt: before(24 * 41) },
  { id: "tok-2", name: "SOAR playbooks", by: "admin", time_dt: before(24 * 6) },
];

export function listTokens(): { items: Token[]; next_cursor: null } {
  return { items: tokens, next_cursor: null };
}

/** The new token with its secret, which is told once. */
export function addToken(name: string): { id: string; name: string; token: string; time_dt: string } {
  const token = { id: `tok-${tokens.length + 1}`, name, by: "admin", time_dt: before(0) };
  tokens = [...tokens, token];
  const { by: _, ...told } = token;
  return { ...told, token: `ygr_${"4f1c9be27a60d3858e12".repeat(2)}` };
}

export function removeToken(id: string): boolean {
  const { length } = tokens;
  tokens = tokens.filter((token) => token.id !== id);
  return tokens.length < length;
}

function before(hours: number): string {
  return new Date(Date.now() - hours * HOUR_MS).toISOString();
}
