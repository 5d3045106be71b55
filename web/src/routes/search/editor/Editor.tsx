// The query editor: CodeMirror in a shadow tree, whose styles the content security policy lets in.
import type { CompletionSource } from "@codemirror/autocomplete";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { useStable } from "@/lib/useStable";
import { extensions, type Fault } from "./extensions";
import type { Language } from "./tokens";
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
  const { language, label, placeholder, value } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  /** Texts that were told and have not come back as `value`: those are no changes from outside. */
  const told = useRef<string[]>([]);
  const bringing = useRef(false);
  const actions = {
    run: useStable(props.onRun),
    changed: useStable((text: string) => {
      if (bringing.current) return;
      told.current.push(text);
      props.onChange(text);
    }),
    complete: useStable(props.complete),
    check: useStable(props.check),
    leave: useStable(() => view.current?.contentDOM.blur()),
  };
  const kept = useRef(actions);
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const state = EditorState.create({ doc: value, extensions: extensions(language, label, placeholder, kept.current) });
    const made = new EditorView({ state, root, parent: root });
    // Whoever focuses the host from outside means the text.
    element.focus = () => made.focus();
    view.current = made;
    return () => {
      view.current = null;
      made.destroy();
    };
    // The text is brought in by the effect below; a new language or label needs a new editor.
  }, [language, label, placeholder]);
  useEffect(() => {
    const current = view.current;
    const echo = told.current.lastIndexOf(value);
    if (echo >= 0) told.current.splice(0, echo + 1);
    if (!current || echo >= 0 || current.state.doc.toString() === value) return;
    bringing.current = true;
    current.dispatch({ changes: { from: 0, to: current.state.doc.length, insert: value }, selection: { anchor: value.length } });
    bringing.current = false;
  }, [value]);
  return <div ref={host} className={styles.host} data-filter />;
}
