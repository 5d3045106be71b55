// What stands where a page could not be loaded or drawn.
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { ApiProblem } from "@/api/problem";
import { ErrorState } from "@/components";
import { reached, useConnection } from "@/lib/connection";
import styles from "./Shell.module.css";

/** How browsers and Vite say that a part of the console's code did not come. */
const CODE_LOST = /dynamically imported module|Importing a module script failed|Unable to preload CSS/i;

export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const isLost = error instanceof Error && CODE_LOST.test(error.message);
  useLoadAgain(isLost);
  const retry = () => {
    if (isLost) return void window.location.reload();
    reset();
    void router.invalidate();
  };
  const shown = isLost ? new ApiProblem(0, "unreachable", "", "") : error instanceof Error ? error : new Error(String(error));
  return (
    <div className={styles.lonely}>
      <ErrorState error={shown} onRetry={retry} />
    </div>
  );
}

/** Code that did not come is not asked for twice by browsers: the page loads anew once the server answers. */
function useLoadAgain(isLost: boolean): void {
  const { reachable } = useConnection();
  const away = useRef(false);
  useEffect(() => {
    if (isLost) reached(false);
  }, [isLost]);
  useEffect(() => {
    if (!isLost) return;
    if (!reachable) away.current = true;
    else if (away.current) window.location.reload();
  }, [isLost, reachable]);
}
