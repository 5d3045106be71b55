// Reads newline-delimited JSON as it arrives, so that rows show before the last one is there.
import { type RequestOptions, send } from "./client";

/** Posts a query and hands its rows over in batches; returns the answer's headers, which `onHeaders` gets first. */
export async function streamRows<T>(
  path: string,
  options: RequestOptions,
  onRows: (rows: T[]) => void,
  onHeaders?: (headers: Headers) => void,
): Promise<Headers> {
  const response = await send("POST", path, options);
  onHeaders?.(response.headers);
  if (!response.body) return response.headers;
  let rest = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    const rows = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as T);
    if (rows.length > 0) onRows(rows);
  }
  if (rest.trim() !== "") onRows([JSON.parse(rest) as T]);
  return response.headers;
}
