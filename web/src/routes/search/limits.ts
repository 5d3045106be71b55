// How many events a search shows: the first limit at once, the others on request.

/** The server shows at most the last one. */
export const LIMITS = [1_000, 10_000, 100_000] as const;

/** Rows of a pipe's answer that are kept for the table; an export has all of them. */
export const PIPE_ROWS_MAX = 100_000;
