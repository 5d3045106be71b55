// The mock's event stream: an overview a second whose counts move, and now and then a changed list.
import type { IncomingMessage, ServerResponse } from "node:http";

interface Moving {
  as_of_time_dt: string;
  funnel: Record<string, number>;
  rates: { records_per_s: number; events_per_s: number; matches_per_s: number };
  series: { start_time_dt: string; step_ms: number; records: number[]; matches: number[] };
  feeds: { received: number; stored: number; last_time_dt: string | null; records_per_s: number; quiet: boolean }[];
  books: { received: number; stored: number };
}

export function streamLive(request: IncomingMessage, response: ServerResponse, overview: () => unknown): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  let seconds = 0;
  const timer = setInterval(() => {
    seconds += 1;
    response.write(`event: overview\ndata: ${JSON.stringify(moved(overview() as Moving, seconds))}\n\n`);
    if (seconds % 20 === 0) response.write("event: incidents\ndata: {}\n\n");
  }, 1_000);
  response.write(": hello\n\n");
  request.on("close", () => clearInterval(timer));
}

function moved(overview: Moving, seconds: number): Moving {
  const perSecond = Math.round(1_240 + 180 * Math.sin(seconds / 3));
  const more = perSecond * seconds;
  overview.as_of_time_dt = new Date().toISOString();
  overview.funnel.records = (overview.funnel.records ?? 0) + more;
  overview.funnel.events = (overview.funnel.events ?? 0) + more;
  overview.rates = { ...overview.rates, records_per_s: perSecond, events_per_s: perSecond };
  overview.books.received += more;
  overview.books.stored += more;
  for (const feed of overview.feeds) {
    if (feed.quiet) continue;
    const share = Math.round(feed.records_per_s * seconds);
    feed.received += share;
    feed.stored += share;
    feed.last_time_dt = overview.as_of_time_dt;
  }
  return overview;
}
