// Text that a page keeps for as long as the tab is open, beside the address.

/** What was kept under `key`; nothing where the browser keeps nothing. */
export function kept(key: string): string {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

export function keep(key: string, text: string): void {
  try {
    sessionStorage.setItem(key, text);
  } catch {
    // The text stays in the field.
  }
}
