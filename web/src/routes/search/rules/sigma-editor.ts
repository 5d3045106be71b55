// What the editor of rules does: line numbers, keys, colours, and the faulty line set off.
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from "@codemirror/commands";
import { type Extension, Prec, RangeSet, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  EditorView,
  GutterMarker,
  gutterLineClass,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  placeholder,
  ViewPlugin,
  type ViewUpdate,
} from "@codemirror/view";
import { linesOf } from "@/routes/detections/rule-text";
import { theme } from "../editor/theme";
import { typedOver } from "../editor/typed-over";

/** Longer texts are shown without colours. */
const COLOURED_CHARS_MAX = 100_000;

export interface SigmaActions {
  /** Ctrl-Enter. */
  run: () => void;
  leave: () => void;
  changed: (text: string) => void;
}

/** Sets the faulty line, from 1; `null` where there is none. */
export const setFaultLine = StateEffect.define<number | null>();

export function sigmaExtensions(label: string, hint: string, actions: SigmaActions): Extension[] {
  return [
    Prec.highest(
      keymap.of([
        { key: "Mod-Enter", run: () => (actions.run(), true) },
        { key: "Escape", run: () => (actions.leave(), true) },
        { key: "Enter", run: (view) => !view.composing && insertNewlineAndIndent(view) },
      ]),
    ),
    keymap.of([...historyKeymap, ...defaultKeymap]),
    history(),
    typedOver,
    lineNumbers(),
    highlightSpecialChars(),
    EditorView.lineWrapping,
    placeholder(hint),
    faultLine,
    colours,
    look,
    theme,
    EditorView.contentAttributes.of({ "aria-label": label, "aria-multiline": "true", tabindex: "0", spellcheck: "false", autocapitalize: "off", translate: "no" }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) actions.changed(update.state.doc.toString());
    }),
  ];
}

/** Marks the line and takes the view to it, or takes the mark away. */
export function showFault(view: EditorView, line: number | null): void {
  const at = line !== null && line <= view.state.doc.lines ? view.state.doc.line(line) : null;
  view.dispatch({ effects: [setFaultLine.of(at && line), ...(at ? [EditorView.scrollIntoView(at.from, { y: "nearest", yMargin: 40 })] : [])] });
}

/** Puts the cursor to the beginning of a line. */
export function goToLine(view: EditorView, line: number): void {
  const at = view.state.doc.line(Math.min(Math.max(1, line), view.state.doc.lines));
  view.dispatch({ selection: { anchor: at.from + (/^\s*/.exec(at.text)?.[0].length ?? 0) }, scrollIntoView: true });
  view.focus();
}

class FaultMarker extends GutterMarker {
  override elementClass = "cm-faultNumber";
}

interface FaultMarks {
  line: DecorationSet;
  number: RangeSet<GutterMarker>;
}

const NONE: FaultMarks = { line: Decoration.none, number: RangeSet.empty };

const faultLine = StateField.define<FaultMarks>({
  create: () => NONE,
  update(marks, change) {
    let next = change.docChanged ? { line: marks.line.map(change.changes), number: marks.number.map(change.changes) } : marks;
    for (const effect of change.effects) {
      if (!effect.is(setFaultLine)) continue;
      const at = effect.value === null ? null : change.state.doc.line(effect.value).from;
      next = at === null ? NONE : { line: Decoration.set([Decoration.line({ class: "cm-fault" }).range(at)]), number: RangeSet.of([new FaultMarker().range(at)]) };
    }
    return next;
  },
  provide: (field) => [EditorView.decorations.from(field, (marks) => marks.line), gutterLineClass.from(field, (marks) => marks.number)],
});

const colours = ViewPlugin.fromClass(
  class {
    marks: DecorationSet;
    constructor(view: EditorView) {
      this.marks = coloured(view);
    }
    update(update: ViewUpdate) {
      if (update.docChanged) this.marks = coloured(update.view);
    }
  },
  { decorations: (plugin) => plugin.marks },
);

function coloured(view: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  const { doc } = view.state;
  if (doc.length > COLOURED_CHARS_MAX) return Decoration.none;
  for (const line of linesOf(doc.toString(), "")) {
    const from = doc.line(line.number).from + line.indent.length;
    const end = from + line.key.length + line.value.length;
    if (line.key) builder.add(from, from + line.key.length, Decoration.mark({ class: "t-field" }));
    if (line.comment) builder.add(end, end + line.comment.length, Decoration.mark({ class: "t-comment" }));
  }
  return builder.finish();
}

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "12px" },
  ".cm-scroller": { maxHeight: "none", height: "100%" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--faint)", borderRight: "1px solid var(--line)" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "32px", padding: "0 8px 0 4px" },
  ".cm-fault": { backgroundColor: "color-mix(in srgb, var(--bad) 14%, transparent)" },
  ".cm-faultNumber": { color: "var(--bad)", fontWeight: "600" },
  ".cm-specialChar": { color: "var(--bad)" },
});
