// A function that keeps its identity and always runs its newest version, for handlers of memoised parts.
import { useCallback, useLayoutEffect, useRef } from "react";

export function useStable<A extends unknown[], R>(run: (...args: A) => R): (...args: A) => R {
  const newest = useRef(run);
  useLayoutEffect(() => {
    newest.current = run;
  });
  return useCallback((...args: A) => newest.current(...args), []);
}
