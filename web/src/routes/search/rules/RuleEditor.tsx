// The editor a rule is pasted into and mended in.
import { useEffect, useRef } from "react";
import { useStable } from "@/lib/useStable";
import { useEditor } from "../editor/useEditor";
import { goToLine, showFault, sigmaExtensions } from "./sigma-editor";
import styles from "./RuleHunt.module.css";

export interface RuleEditorProps {
  label: string;
  placeholder: string;
  value: string;
  onChange: (text: string) => void;
  /** Ctrl-Enter. */
  onRun: () => void;
  /** The faulty line, from 1. */
  fault: number | undefined;
  /** Takes the cursor there each time it is another object. */
  goTo: { line: number } | null;
}

export function RuleEditor({ label, placeholder, value, onChange, onRun, fault, goTo }: RuleEditorProps) {
  const run = useStable(onRun);
  const leave = useStable(() => view.current?.contentDOM.blur());
  const kept = useRef({ run, leave });
  const { host, view } = useEditor({
    value,
    onChange,
    key: `${label}/${placeholder}`,
    make: (changed) => sigmaExtensions(label, placeholder, { ...kept.current, changed }),
  });
  useEffect(() => {
    if (view.current) showFault(view.current, fault ?? null);
  }, [fault, view]);
  useEffect(() => {
    if (view.current && goTo) goToLine(view.current, goTo.line);
  }, [goTo, view]);
  return <div ref={host} className={styles.host} data-filter />;
}
