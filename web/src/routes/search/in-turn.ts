// Lets only so many things happen at once; the others wait, in order.

/** A function that runs others, at most `most` at a time. Who is aborted while waiting is passed over. */
export function inTurn(most: number): <T>(signal: AbortSignal, run: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  const next = () => {
    while (running < most) {
      const start = waiting.shift();
      if (!start) return;
      running += 1;
      start();
    }
  };
  return async (signal, run) => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      next();
    });
    try {
      signal.throwIfAborted();
      return await run();
    } finally {
      running -= 1;
      next();
    }
  };
}
