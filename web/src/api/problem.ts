// Refusals of the server and silence of the network, as errors with a code.

export interface Position {
  /** UTF-16 offsets into the query. */
  start: number;
  end: number;
  text: string;
  help?: string | null;
}

/** A problem document, or `code: "unreachable"` where the server does not answer. */
export class ApiProblem extends Error {
  override name = "ApiProblem";

  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly position: Position | null = null,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(detail || title);
  }

  get unreachable(): boolean {
    return this.code === "unreachable";
  }
}

/** The problem of an answer that is no success. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const retry = Number(response.headers.get("retry-after"));
  const retryAfter = Number.isFinite(retry) && retry > 0 ? retry : null;
  const type = response.headers.get("content-type") ?? "";
  if (!type.includes("json")) {
    const silent = response.status >= 502 && response.status <= 504;
    return new ApiProblem(response.status, silent ? "unreachable" : `http_${response.status}`, response.statusText, "", null, retryAfter);
  }
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  return new ApiProblem(
    response.status,
    word(body.code) || `http_${response.status}`,
    word(body.title),
    word(body.detail),
    (body.position as Position | undefined) ?? null,
    retryAfter,
  );
}

function word(value: unknown): string {
  return typeof value === "string" ? value : "";
}
