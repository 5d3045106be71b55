// CodeMirror in a shadow tree, whose styles the content security policy lets in, with its text kept in step.
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { type RefObject, useEffect, useRef } from "react";
import { flushSync } from "react-dom";
import { useStable } from "@/lib/useStable";

export interface EditorUse {
  /** The element that gets the editor. */
  host: RefObject<HTMLDivElement | null>;
  /** The editor, while there is one. */
  view: RefObject<EditorView | null>;
}

/** `make` gives what the editor does, once for each `key`; `changed` is what it calls with a new text. */
export function useEditor({ value, onChange, key, make }: {
  value: string;
  onChange: (text: string) => void;
  key: string;
  make: (changed: (text: string) => void) => Extension;
}): EditorUse {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  /** Texts that were told and have not come back as `value`: those are no changes from outside. */
  const told = useRef<string[]>([]);
  const bringing = useRef(false);
  const changed = useStable((text: string) => {
    if (bringing.current) return;
    told.current.push(text);
    // At once: events of a shadow tree are none that React hurries for, and the next key may run the text.
    flushSync(() => onChange(text));
  });
  const made = useStable(() => EditorState.create({ doc: value, extensions: make(changed) }));
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const current = new EditorView({ state: made(), root, parent: root });
    // Whoever focuses the host from outside means the text.
    element.focus = () => current.focus();
    view.current = current;
    return () => {
      view.current = null;
      current.destroy();
    };
    // The text is brought in by the effect below; another key needs another editor.
  }, [key, made]);
  useEffect(() => {
    const current = view.current;
    const echo = told.current.lastIndexOf(value);
    if (echo >= 0) told.current.splice(0, echo + 1);
    if (!current || echo >= 0 || current.state.doc.toString() === value) return;
    bringing.current = true;
    current.dispatch({ changes: { from: 0, to: current.state.doc.length, insert: value }, selection: { anchor: value.length } });
    bringing.current = false;
  }, [value]);
  return { host, view };
}
