// Serves fixtures as the API, for development and browser tests without the server.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connect, Plugin } from "vite";
import { streamLive } from "./mock-live.ts";
import { answer, fixture, type Reply } from "./mock-routes.ts";

/** Answers below `/api/v1` in `vite --mode mock` and `vite preview --mode mock`. */
export function mockApi(): Plugin {
  return {
    name: "yagura-mock-api",
    configureServer: (server) => void server.middlewares.use(handle),
    configurePreviewServer: (server) => void server.middlewares.use(handle),
  };
}

const handle: Connect.NextHandleFunction = (request, response, next) => {
  const url = new URL(request.url ?? "/", "http://mock");
  if (!url.pathname.startsWith("/api/v1/")) return next();
  const path = url.pathname.slice("/api/v1".length);
  if (path === "/live") return streamLive(request, response, () => fixture("overview"));
  void body(request).then((text) => {
    const reply = answer(request.method ?? "GET", path, url.searchParams, text ? JSON.parse(text) : {}, request.headers["if-match"]);
    setTimeout(() => send(response, reply), 40);
  });
};

function body(request: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
    request.on("end", () => resolve(text));
  });
}

function send(response: ServerResponse, reply: Reply): void {
  response.statusCode = reply.status ?? 200;
  const type = response.statusCode >= 400 ? "application/problem+json" : "application/json";
  response.setHeader("content-type", reply.type ?? type);
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  if (reply.body === undefined) response.end();
  else response.end(typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body));
}
