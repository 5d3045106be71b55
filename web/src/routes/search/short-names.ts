// Names of the search language that are no single column.

/** Names that stand for several columns, or are put together; `GET /fields` lists columns only. */
export const SHORT_NAMES = [
  "user",
  "host",
  "ip",
  "src",
  "dst",
  "port",
  "mac",
  "url",
  "domain",
  "hash",
  "email",
  "file",
  "process",
  "command_line",
  "class",
  "category",
  "activity",
  "source",
  "feed",
  "tenant",
  "rule",
  "pid",
  "earliest",
  "latest",
] as const;

export type ShortName = (typeof SHORT_NAMES)[number];
