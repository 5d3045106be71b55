// Small truths about keyboard events.

/** Whether an input method is at work: such a key belongs to it, not to us. */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}

/** Whether the key goes into a text: single-key shortcuts keep away. */
export function isTyping(event: KeyboardEvent): boolean {
  // Inside a shadow tree (the query editor) the target seen from outside is the tree's host.
  const target = event.composedPath()[0] ?? event.target;
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** Whether a key is pressed alone, Shift apart. */
export function isPlain(event: KeyboardEvent): boolean {
  return !event.ctrlKey && !event.metaKey && !event.altKey;
}
