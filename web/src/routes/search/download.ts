// Saves an answer as a file.
import { send } from "@/api/client";

export type Format = "ndjson" | "csv" | "parquet";

/** Posts a query, saves the body under a name with the time in it, and returns the answer's headers. */
export async function download(path: string, body: Record<string, unknown> & { format: Format }, stem: string, signal: AbortSignal): Promise<Headers> {
  const response = await send("POST", path, { body, signal, headers: { accept: "*/*" } });
  const blob = await response.blob();
  const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = `${stem}-${stamp}Z.${body.format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 30_000);
  return response.headers;
}
