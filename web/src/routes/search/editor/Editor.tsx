// The query editor.
import type { CompletionSource } from "@codemirror/autocomplete";
import { useRef } from "react";
import { useStable } from "@/lib/useStable";
import { extensions, type Fault } from "./extensions";
import type { Language } from "./tokens";
import { useEditor } from "./useEditor";
import styles from "./Editor.module.css";

export interface EditorProps {
  language: Language;
  label: string;
  placeholder: string;
  value: string;
  onChange: (text: string) => void;
  /** Enter, outside of a composition. */
  onRun: () => void;
  complete: CompletionSource;
  /** What is wrong with the text; called a moment after it changed. */
  check: (text: string) => Promise<Fault | null>;
}

export function Editor(props: EditorProps) {
  const { language, label, placeholder, value, onChange } = props;
  const actions = {
    run: useStable(props.onRun),
    complete: useStable(props.complete),
    check: useStable(props.check),
    leave: useStable(() => view.current?.contentDOM.blur()),
  };
  const kept = useRef(actions);
  const { host, view } = useEditor({
    value,
    onChange,
    key: `${language}/${label}/${placeholder}`,
    make: (changed) => extensions(language, label, placeholder, { ...kept.current, changed }),
  });
  return <div ref={host} className={styles.host} data-filter />;
}
