// The mock's outbox: two channels, one notification that waits and two that were given up.

interface Told {
  id: string;
  channel: string;
  kind: string;
  tenant: string;
  incident: string;
  event: string;
  severity: string;
  status: string;
  attempts: number;
  created_time_dt: string;
  sent_time_dt: string | null;
  next_time_dt: string | null;
  last_error: string | null;
}

const HOUR_MS = 3_600_000;
const told: Told[] = [
  one("n-3", "soc", "mail", "INC-2026-0042", "severity_raised", "critical", "pending", 3, 0.02, "connection refused by mail.example.org:587"),
  one("n-2", "tickets", "webhook", "INC-2026-0041", "opened", "high", "dead", 1, 5, "status 401: {\"error\":\"unknown key\"}"),
  one("n-1", "soc", "mail", "INC-2026-0040", "closed", "medium", "dead", 31, 50, "550 5.1.1 <duty@example.org>: no such user here \u001b[31m<img src=x onerror=alert(1)>"),
];

export function channels(): unknown {
  const items = ["soc", "tickets"].map((channel) => {
    const own = told.filter((item) => item.channel === channel);
    const of = (status: string) => own.filter((item) => item.status === status);
    return { channel, pending: of("pending").length, sent: 17, dead: of("dead").length, oldest_pending_time_dt: of("pending").at(-1)?.created_time_dt ?? null };
  });
  return { items, next_cursor: null };
}

export function notifications(status: string | null): unknown {
  return { items: told.filter((item) => status === null || item.status === status), next_cursor: null };
}

export function retryNotification(id: string): boolean {
  const found = told.find((item) => item.id === id && item.status === "dead");
  if (found) Object.assign(found, { status: "pending", attempts: 0, next_time_dt: null });
  return found !== undefined;
}

function one(id: string, channel: string, kind: string, incident: string, event: string, severity: string, status: string, attempts: number, hours: number, last_error: string): Told {
  const created_time_dt = new Date(Date.now() - hours * HOUR_MS).toISOString();
  const next_time_dt = status === "pending" ? new Date(Date.now() + 40_000).toISOString() : null;
  return { id, channel, kind, tenant: "default", incident, event, severity, status, attempts, created_time_dt, sent_time_dt: null, next_time_dt, last_error };
}
