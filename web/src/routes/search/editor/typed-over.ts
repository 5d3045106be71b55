// Typing over a selection: the editor replaces it, and not the browser.
import { EditorSelection, type Extension, Prec } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

/**
 * Chromium joins the lines of a selection that is typed over and keeps their look with `style`
 * attributes, which the content security policy refuses and reports. Compositions of an input
 * method are left to the editor: they cannot be cancelled, and are not styled.
 */
export const typedOver: Extension = Prec.highest(
  EditorView.domEventHandlers({
    beforeinput(event, view) {
      const { state } = view;
      if (event.inputType !== "insertText" || event.data === null || event.isComposing || view.composing || state.readOnly) return false;
      if (state.selection.ranges.every((range) => range.empty)) return false;
      const text = state.toText(event.data);
      const change = state.changeByRange(({ from, to }) => ({ changes: { from, to, insert: text }, range: EditorSelection.cursor(from + text.length) }));
      view.dispatch(change, { userEvent: "input.type", scrollIntoView: true });
      event.preventDefault();
      return true;
    },
  }),
);
