// What stands beside a list and explains one of its rows: a head with a way out, and the content.
import type { KeyboardEvent, ReactNode, RefObject } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./Button";
import styles from "./SidePanel.module.css";

export function SidePanel({ label, head, tools, closeHint, onClose, box, within = false, busy, className, children }: {
  label: string;
  /** At the left of the head. */
  head: ReactNode;
  /** At its right, before the way out. */
  tools?: ReactNode;
  closeHint?: string;
  onClose: () => void;
  /** Gets the panel, which can then have the focus; Escape in it closes it. */
  box?: RefObject<HTMLElement | null>;
  /** It stands in a panel with the list: only a line parts them. */
  within?: boolean;
  busy?: boolean;
  className?: string | undefined;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") onClose();
  };
  return (
    <section
      className={[styles.panel, className].join(" ")}
      data-within={within || undefined}
      aria-label={label}
      aria-busy={busy}
      {...(box && { ref: box, tabIndex: -1, onKeyDown })}
    >
      <header className={styles.head}>
        {head}
        <span className={styles.space} />
        {tools}
        <Button kind="quiet" icon="close" hint={closeHint ?? t("action.close")} onPress={onClose} />
      </header>
      {children}
    </section>
  );
}
