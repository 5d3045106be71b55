// A one-line text field that is safe for input methods: Enter while composing never submits.
import { type ReactNode, useEffect, useRef, useState } from "react";
import { isComposing } from "@/lib/keys";
import { Icon, type IconName } from "./Icon";
import styles from "./SearchField.module.css";

/** `filter` makes `/` focus it. Submits on Enter; also on each change with `live`. */
export function SearchField({ label, value, onSubmit, placeholder, live = false, filter = false, icon = "filter", aside, autoFocus }: {
  label: string;
  value: string;
  onSubmit: (value: string) => void;
  placeholder?: string;
  live?: boolean;
  filter?: boolean;
  icon?: IconName;
  aside?: ReactNode;
  autoFocus?: boolean;
}) {
  const [text, setText] = useState(value);
  const composing = useRef(false);
  useEffect(() => setText(value), [value]);
  const changed = (next: string) => {
    setText(next);
    if (live && !composing.current) onSubmit(next);
  };
  return (
    <div className={styles.field}>
      <Icon name={icon} />
      <input
        aria-label={label}
        placeholder={placeholder ?? label}
        value={text}
        spellCheck={false}
        autoComplete="off"
        autoFocus={autoFocus}
        data-filter={filter || undefined}
        onChange={(event) => changed(event.target.value)}
        onCompositionStart={() => (composing.current = true)}
        onCompositionEnd={(event) => {
          composing.current = false;
          if (live) onSubmit(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !isComposing(event.nativeEvent)) onSubmit(text);
          if (event.key === "Escape" && !isComposing(event.nativeEvent)) event.currentTarget.blur();
        }}
      />
      {aside}
    </div>
  );
}
