// What forms in dialogs and on pages have in common: how they look, Ctrl-Enter, a reason, and what somebody else did meanwhile.
import { type FormEvent, type KeyboardEvent, type ReactNode, useId } from "react";
import { isComposing } from "@/lib/keys";
import styles from "./DialogForm.module.css";
import { Icon } from "./Icon";
import { Kbd, modKey } from "./Kbd";

/** A form whose buttons stand in the dialog's footer; with `sendByKey` Ctrl-Enter sends it, too. */
export function DialogForm({ id, label, onSubmit, onKey, sendByKey = false, children }: {
  id: string;
  /** Names it where no dialog does. */
  label?: string;
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
    <form id={id} aria-label={label} className={styles.form} onSubmit={submit} onKeyDown={onKeyDown} {...(sendByKey && { "aria-keyshortcuts": `${modKey()}+Enter` })}>
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
  /** Longer texts are cut while they are typed; absent where the form says what is wrong. */
  charsMax?: number;
  onChange: (text: string) => void;
  autoFocus?: boolean;
  placeholder?: string;
}

/** A line of text; `offered` are texts to choose from, `selects` marks what is there when one comes to it. */
export function LineField({ label, value, charsMax, onChange, autoFocus = false, placeholder, hint, offered, selects = false }: FieldProps & {
  hint?: string;
  offered?: readonly string[];
  selects?: boolean;
}) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        value={value}
        maxLength={charsMax}
        placeholder={placeholder}
        autoFocus={autoFocus}
        autoComplete="off"
        spellCheck={false}
        {...(offered && { list: `${id}-offered` })}
        {...(hint && { "aria-describedby": `${id}-hint` })}
        {...(selects && { onFocus: (event) => event.target.select() })}
        onChange={(event) => onChange(event.target.value)}
      />
      {offered && (
        <datalist id={`${id}-offered`}>
          {offered.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
      {hint && (
        <p id={`${id}-hint`} className="muted">
          {hint}
        </p>
      )}
    </div>
  );
}

/** A few lines of text: why. */
export function ReasonField({ label, value, charsMax, onChange, autoFocus = false, placeholder }: FieldProps) {
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
