// One way to the API: adds tenant and CSRF token, and turns refusals into `ApiProblem`.
import { reached } from "@/lib/connection";
import { ApiProblem, problemOf } from "./problem";

export const BASE = "/api/v1";

/** The header that makes a repeat harmless. */
const KEY_HEADER = "idempotency-key";

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface RequestOptions {
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

const scope: { tenant: string | undefined; csrf: string | undefined } = { tenant: undefined, csrf: undefined };

/** Sets the tenant that every request is about; `undefined` means all. */
export function setRequestTenant(tenant: string | undefined): void {
  scope.tenant = tenant;
}

/** The tenant that requests are about. */
export function requestTenant(): string | undefined {
  return scope.tenant;
}

/** Sets the token that unsafe requests carry. */
export function setCsrfToken(token: string | undefined): void {
  scope.csrf = token;
}

/** Asks and returns the answer's JSON (`undefined` for 204). */
export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(method, path, options);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** Keys of requests that made something, or may have: no answer came. */
const unanswered = new Map<string, string>();

/**
 * Has something made, and returns it. Where the connection broke before an answer came, the same request
 * sent again carries the same key: the server makes one of them.
 */
export async function make<T>(path: string, options: Omit<RequestOptions, "signal" | "headers"> = {}): Promise<T> {
  const what = `${address(path, options.query)}\n${JSON.stringify(options.body)}`;
  const key = unanswered.get(what) ?? freshKey();
  unanswered.set(what, key);
  try {
    const made = await request<T>("POST", path, { ...options, headers: { [KEY_HEADER]: key } });
    unanswered.delete(what);
    return made;
  } catch (error) {
    if (error instanceof ApiProblem && !error.unreachable) unanswered.delete(what);
    throw error;
  }
}

/** 128 random bits; `crypto.randomUUID` is missing where the console is served without TLS. */
function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Asks and returns the answer's JSON with its ETag. */
export async function requestTagged<T>(path: string, options: RequestOptions = {}): Promise<{ data: T; etag: string }> {
  const response = await send("GET", path, options);
  return { data: (await response.json()) as T, etag: response.headers.get("etag") ?? "" };
}

/** Asks and returns the answer as it is, for bodies that are read as they come. */
export async function send(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json, application/x-ndjson", ...options.headers };
  if (options.body !== undefined) headers["content-type"] = "application/json";
  if (method !== "GET" && scope.csrf) headers["yagura-csrf"] = scope.csrf;
  const init: RequestInit = { method, headers, credentials: "same-origin" };
  if (options.signal) init.signal = options.signal;
  if (options.body !== undefined) init.body = JSON.stringify(options.body);
  const response = await fetchOrSilence(address(path, options.query), init);
  if (!response.ok) {
    const problem = await problemOf(response);
    reached(!problem.unreachable);
    throw problem;
  }
  reached(true);
  return response;
}

/** The address of a path under the API with its query. */
export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  const all: Query = { tenant: scope.tenant, ...query };
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined && value !== null && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return `${BASE}${path}${text ? `?${text}` : ""}`;
}

/** A value as one segment of a path. */
export function segment(value: string): string {
  return encodeURIComponent(value);
}

async function fetchOrSilence(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    reached(false);
    throw new ApiProblem(0, "unreachable", "", "");
  }
}
