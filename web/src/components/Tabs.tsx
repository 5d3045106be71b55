// Tabs whose chosen one lives wherever the caller keeps it, which should be the address.
import { type KeyboardEvent, type ReactNode, useId, useRef } from "react";
import styles from "./Tabs.module.css";

export interface TabEntry {
  id: string;
  title: ReactNode;
  content: ReactNode;
}

/** The step that a key means among `length` tabs, from the one at `at`; nothing for other keys. */
export function tabOfKey(key: string, at: number, length: number): number | undefined {
  if (key === "ArrowRight") return (at + 1) % length;
  if (key === "ArrowLeft") return (at - 1 + length) % length;
  if (key === "Home") return 0;
  if (key === "End") return length - 1;
  return undefined;
}

/**
 * The pattern of the ARIA authoring practices, without a library: that of React Aria looks through
 * the panel and has it laid out with every row that a table draws.
 */
export function Tabs({ label, tabs, chosen, onChoose, aside }: {
  label: string;
  tabs: TabEntry[];
  chosen: string;
  onChoose: (id: string) => void;
  /** At the right of the tabs. */
  aside?: ReactNode;
}) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const next = tabOfKey(event.key, tabs.findIndex((tab) => tab.id === chosen), tabs.length);
    const tab = next === undefined || event.ctrlKey || event.altKey || event.metaKey ? undefined : tabs[next];
    if (!tab) return;
    event.preventDefault();
    onChoose(tab.id);
    list.current?.querySelector<HTMLElement>(`[data-tab="${tab.id}"]`)?.focus();
  };
  return (
    <div className={styles.tabs}>
      <div className={styles.head}>
        <div ref={list} role="tablist" aria-label={label} className={styles.list} onKeyDown={onKeyDown}>
          {tabs.map((tab) => (
            <button
              key={tab.id}
              type="button"
              role="tab"
              id={`${id}-${tab.id}`}
              data-tab={tab.id}
              aria-selected={tab.id === chosen}
              aria-controls={tab.id === chosen ? `${id}-panel` : undefined}
              tabIndex={tab.id === chosen ? 0 : -1}
              className={styles.tab}
              onClick={() => onChoose(tab.id)}
            >
              {tab.title}
            </button>
          ))}
        </div>
        {aside && <div className={styles.aside}>{aside}</div>}
      </div>
      {tabs
        .filter((tab) => tab.id === chosen)
        .map((tab) => (
          <div key={tab.id} role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${tab.id}`} className={styles.panel}>
            {tab.content}
          </div>
        ))}
    </div>
  );
}
