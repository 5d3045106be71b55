// How much of a piece of work is done.
import styles from "./ProgressBar.module.css";

/** `share` is from 0 to 1. */
export function ProgressBar({ share, label }: { share: number; label: string }) {
  return <progress className={styles.bar} value={share} max={1} aria-label={label} />;
}
