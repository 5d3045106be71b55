// The catalogue of messages in both languages: shared words here, a page's words in its folder.
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { onSettings, settings } from "@/lib/settings";
import accountEn from "@/routes/account/en.json";
import accountJa from "@/routes/account/ja.json";
import detectionsEn from "@/routes/detections/en.json";
import detectionsJa from "@/routes/detections/ja.json";
import entitiesEn from "@/routes/entities/en.json";
import entitiesJa from "@/routes/entities/ja.json";
import incidentsEn from "@/routes/incidents/en.json";
import incidentsJa from "@/routes/incidents/ja.json";
import notificationsEn from "@/routes/notifications/en.json";
import notificationsJa from "@/routes/notifications/ja.json";
import overviewEn from "@/routes/overview/en.json";
import overviewJa from "@/routes/overview/ja.json";
import reparseEn from "@/routes/reparse/en.json";
import reparseJa from "@/routes/reparse/ja.json";
import searchEn from "@/routes/search/en.json";
import searchJa from "@/routes/search/ja.json";
import signInEn from "@/routes/sign-in/en.json";
import signInJa from "@/routes/sign-in/ja.json";
import en from "./en.json";
import ja from "./ja.json";

const english = {
  ...en,
  account_page: accountEn,
  overview: overviewEn,
  incidents: incidentsEn,
  search: searchEn,
  detections: detectionsEn,
  entities: entitiesEn,
  notifications: notificationsEn,
  reparse: reparseEn,
  sign_in: signInEn,
};

const japanese = {
  ...ja,
  account_page: accountJa,
  overview: overviewJa,
  incidents: incidentsJa,
  search: searchJa,
  detections: detectionsJa,
  entities: entitiesJa,
  notifications: notificationsJa,
  reparse: reparseJa,
  sign_in: signInJa,
};

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof english };
  }
}

/** Loads the catalogue; the language follows the settings from then on. */
export function startMessages(): void {
  void i18next.use(initReactI18next).init({
    lng: settings().language,
    fallbackLng: "en",
    initAsync: false,
    resources: { en: { translation: english }, ja: { translation: japanese } },
    interpolation: { escapeValue: false },
  });
  onSettings(() => {
    if (i18next.language !== settings().language) void i18next.changeLanguage(settings().language);
  });
}
