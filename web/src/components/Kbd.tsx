// A key, as it is named on the viewer's keyboard.
import styles from "./Kbd.module.css";

/** `mod` is ⌘ on a Mac and Ctrl elsewhere. */
export function Kbd({ children }: { children: string }) {
  return <kbd className={styles.key}>{children === "mod" ? modKey() : children}</kbd>;
}

/** The name of the command key. */
export function modKey(): string {
  return /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";
}
