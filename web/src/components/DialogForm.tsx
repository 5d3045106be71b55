// What forms in dialogs have in common: how they look, Ctrl-Enter, a reason, and what somebody else did meanwhile.
import { type FormEvent, type KeyboardEvent, type ReactNode, useId } from "react";
import { isComposing } from "@/lib/keys";
import styles from "./DialogForm.module.css";
import { Icon } from "./Icon";
import { Kbd, modKey } from "./Kbd";

/** A form whose buttons stand in the dialog's footer; with `sendByKey` Ctrl-Enter sends it, too. */
export function DialogForm({ id, onSubmit, onKey, sendByKey = false, children }: {
  id: string;
  onSubmit: () => void;
  /** Gets the other keys that are no part of a composition. */
  onKey?: (event: KeyboardEvent) => void;
  sendByKey?: boolean;
  children: ReactNode;
}) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const key = event.nativeEvent;
    if (isComposing(key)) return;
    if (sendByKey && key.key === "Enter" && (key.ctrlKey || key.metaKey)) onSubmit();
    else onKey?.(event);
  };
  return (
    <form id={id} className={styles.form} onSubmit={submit} onKeyDown={onKeyDown} {...(sendByKey && { "aria-keyshortcuts": `${modKey()}+Enter` })}>
      {children}
    </form>
  );
}

/** Stands first in the footer and says that Ctrl-Enter sends. */
export function SendKeys() {
  return (
    <span className={styles.keys}>
      <Kbd>mod</Kbd> <Kbd>Enter</Kbd>
    </span>
  );
}

interface FieldProps {
  label: string;
  value: string;
  charsMax: number;
  onChange: (text: string) => void;
  autoFocus?: boolean;
}

/** A line of text. */
export function LineField({ label, value, charsMax, onChange, autoFocus = false, hint }: FieldProps & { hint?: string }) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        value={value}
        maxLength={charsMax}
        autoFocus={autoFocus}
        autoComplete="off"
        spellCheck={false}
        {...(hint && { "aria-describedby": `${id}-hint` })}
        onChange={(event) => onChange(event.target.value)}
      />
      {hint && (
        <p id={`${id}-hint`} className="muted">
          {hint}
        </p>
      )}
    </div>
  );
}

/** A few lines of text: why. */
export function ReasonField({ label, value, charsMax, onChange, autoFocus = false, placeholder }: FieldProps & { placeholder: string }) {
  return (
    <label className={styles.field}>
      <span>{label}</span>
      <textarea value={value} rows={3} autoFocus={autoFocus} maxLength={charsMax} placeholder={placeholder} onChange={(event) => onChange(event.target.value)} />
    </label>
  );
}

/** What somebody else did meanwhile, because of which nothing was sent. */
export function Meanwhile({ children }: { children: ReactNode }) {
  return (
    <div className={styles.meanwhile} role="alert">
      <Icon name="warning" />
      <div>{children}</div>
    </div>
  );
}
