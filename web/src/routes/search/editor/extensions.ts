// What the query editor does: keys, colours, completion, faults at their place.
import {
  acceptCompletion,
  autocompletion,
  type CompletionSource,
  completionKeymap,
  completionStatus,
  moveCompletionSelection,
  selectedCompletionIndex,
  startCompletion,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, insertNewline } from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import { type Diagnostic, linter } from "@codemirror/lint";
import { type Extension, Prec, RangeSetBuilder } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, keymap, placeholder, tooltips, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { theme } from "./theme";
import { type Language, tokens } from "./tokens";
import { typedOver } from "./typed-over";

/** Longer texts are shown without colours. */
const COLOURED_CHARS_MAX = 20_000;
const CHECK_AFTER_MS = 350;

export interface Fault {
  code: string;
  message: string;
  start: number;
  end: number;
  help?: string | null;
}

export interface EditorActions {
  run: () => void;
  leave: () => void;
  changed: (text: string) => void;
  complete: CompletionSource;
  check: (text: string) => Promise<Fault | null>;
}

export function extensions(language: Language, label: string, hint: string, actions: EditorActions): Extension[] {
  return [
    Prec.highest(keymap.of(keys(actions))),
    keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap]),
    history(),
    typedOver,
    bracketMatching(),
    EditorView.lineWrapping,
    placeholder(hint),
    tooltips({ position: "fixed" }),
    autocompletion({ override: [actions.complete], icons: false, selectOnOpen: false, activateOnCompletion: () => true, maxRenderedOptions: 60, defaultKeymap: false }),
    linter(async (view) => diagnostics(view, await actions.check(view.state.doc.toString())), { delay: CHECK_AFTER_MS }),
    colours(language),
    theme,
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", autocapitalize: "off", translate: "no" }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) actions.changed(update.state.doc.toString());
    }),
  ];
}

/** CodeMirror keeps keys from these while an input method composes; Enter checks once more. */
function keys(actions: EditorActions) {
  return [
    {
      key: "Enter",
      run: (view: EditorView) => {
        if (view.composing) return false;
        if (completionStatus(view.state) === "active" && selectedCompletionIndex(view.state) !== null) return acceptCompletion(view);
        actions.run();
        return true;
      },
    },
    { key: "Shift-Enter", run: insertNewline },
    { key: "Mod-Enter", run: () => (actions.run(), true) },
    {
      key: "Tab",
      run: (view: EditorView) => {
        if (completionStatus(view.state) !== "active") return false;
        if (selectedCompletionIndex(view.state) === null) moveCompletionSelection(true)(view);
        return acceptCompletion(view);
      },
    },
    {
      key: "Escape",
      run: (view: EditorView) => {
        if (completionStatus(view.state) !== null) return false;
        actions.leave();
        return true;
      },
    },
    { key: "Ctrl-Space", run: startCompletion },
  ];
}

function diagnostics(view: EditorView, fault: Fault | null): Diagnostic[] {
  if (!fault) return [];
  const length = view.state.doc.length;
  const from = Math.min(fault.start, length);
  const to = Math.min(Math.max(fault.end, from), length);
  const message = fault.help ? `${fault.message}\n${fault.help}` : fault.message;
  return [{ from: from === to && from > 0 ? from - 1 : from, to, severity: "error", message }];
}

function colours(language: Language): Extension {
  return ViewPlugin.fromClass(
    class {
      marks: DecorationSet;
      constructor(view: EditorView) {
        this.marks = coloured(view, language);
      }
      update(update: ViewUpdate) {
        if (update.docChanged) this.marks = coloured(update.view, language);
      }
    },
    { decorations: (plugin) => plugin.marks },
  );
}

function coloured(view: EditorView, language: Language): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  if (view.state.doc.length <= COLOURED_CHARS_MAX) {
    for (const token of tokens(view.state.doc.toString(), language)) {
      builder.add(token.from, token.to, Decoration.mark({ class: `t-${token.kind}` }));
    }
  }
  return builder.finish();
}
