// The viewer's settings, kept in localStorage and shared by every page.
import { useSyncExternalStore } from "react";

export type Theme = "system" | "dark" | "light";
export type Language = "en" | "ja";
export type Zone = "local" | "utc";

export interface Settings {
  theme: Theme;
  language: Language;
  zone: Zone;
  shortcuts: boolean;
}

const KEY = "yagura.settings";
const listeners = new Set<() => void>();
let current: Settings = read();

/** The settings as of now. */
export function settings(): Settings {
  return current;
}

/** Changes some settings; every component that uses them renders again. */
export function change(part: Partial<Settings>): void {
  current = { ...current, ...part };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // A browser that keeps nothing still gets the change until the page is closed.
  }
  applyToDocument();
  for (const listener of listeners) listener();
}

/** Calls `listener` after each change, until the returned function is called. */
export function onSettings(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The settings, kept up to date. */
export function useSettings(): Settings {
  return useSyncExternalStore(onSettings, settings);
}

/** Puts theme and language onto `<html>`. */
export function applyToDocument(): void {
  const root = document.documentElement;
  root.lang = current.language;
  if (current.theme === "system") delete root.dataset.theme;
  else root.dataset.theme = current.theme;
}

/** Whether the page is shown dark, whoever decided it. */
export function isDark(): boolean {
  if (current.theme !== "system") return current.theme === "dark";
  return !matchMedia("(prefers-color-scheme: light)").matches;
}

function read(): Settings {
  let kept: Partial<Settings> = {};
  try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>;
  } catch {
    kept = {};
  }
  return {
    theme: kept.theme === "dark" || kept.theme === "light" ? kept.theme : "system",
    language: kept.language === "ja" || kept.language === "en" ? kept.language : browserLanguage(),
    zone: kept.zone === "utc" ? "utc" : "local",
    shortcuts: kept.shortcuts !== false,
  };
}

function browserLanguage(): Language {
  const first = typeof navigator === "undefined" ? "en" : navigator.language;
  return first?.startsWith("ja") ? "ja" : "en";
}
