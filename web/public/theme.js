// Sets theme and language before the first paint, so that neither flashes (see src/lib/settings.ts).
try {
  const kept = JSON.parse(localStorage.getItem("yagura.settings") || "{}");
  if (kept.theme === "dark" || kept.theme === "light") document.documentElement.dataset.theme = kept.theme;
  if (kept.language === "ja" || kept.language === "en") document.documentElement.lang = kept.language;
} catch {
  document.documentElement.lang = "en";
}
