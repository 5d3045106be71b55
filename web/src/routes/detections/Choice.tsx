// A row of words of which one, or none, narrows a list.
import { count } from "@/lib/number";
import styles from "./Detections.module.css";

export interface ChoiceEntry<T extends string> {
  id: T;
  text: string;
  count?: number;
  /** Says that something is amiss, with a mark beside the count. */
  bad?: boolean;
}

export function Choice<T extends string>({ label, entries, chosen, onChoose }: {
  label: string;
  entries: ChoiceEntry<T>[];
  chosen: T | undefined;
  onChoose: (id: T | undefined) => void;
}) {
  return (
    <div className={styles.choice} role="group" aria-label={label}>
      {entries.map((entry) => (
        <button key={entry.id} type="button" aria-pressed={entry.id === chosen} onClick={() => onChoose(entry.id === chosen ? undefined : entry.id)}>
          {entry.text}
          {entry.count !== undefined && (
            <span className={styles.badge} data-bad={entry.bad || undefined}>
              {count(entry.count)}
            </span>
          )}
        </button>
      ))}
    </div>
  );
}
