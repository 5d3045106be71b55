// What stands where a page could not be loaded or drawn.
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { ErrorState } from "@/components";
import styles from "./Shell.module.css";

export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    reset();
    void router.invalidate();
  };
  return (
    <div className={styles.lonely}>
      <ErrorState error={error instanceof Error ? error : new Error(String(error))} onRetry={retry} />
    </div>
  );
}
