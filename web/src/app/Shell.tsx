// The frame around every page: top bar, rail, banner, page, palette and help.
import { useQueryClient } from "@tanstack/react-query";
import { Outlet, useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { I18nProvider } from "react-aria-components/I18nProvider";
import { PivotHost } from "@/components/Pivot";
import { useSettings } from "@/lib/settings";
import { listen } from "@/live/live";
import { Banner } from "./Banner";
import { HelpDialog } from "./HelpDialog";
import { Rail } from "./Rail";
import styles from "./Shell.module.css";
import { TopBar } from "./TopBar";
import { useShortcuts } from "./useShortcuts";

const loadPalette = () => import("./Palette");
const Palette = lazy(loadPalette);
/** The other pages and the palette are fetched this long after the first: they open at once, also when the server is away. */
const REST_AFTER_MS = 2_000;

export function Shell() {
  const { t } = useTranslation();
  const { language } = useSettings();
  const client = useQueryClient();
  const navigate = useNavigate();
  const router = useRouter();
  // Not the whole address: the frame stays as it is while rows are gone through.
  const tenant = useSearch({ from: "/shell", select: (search) => search.tenant });
  const [dialog, setDialog] = useState<"palette" | "help" | null>(null);
  const close = () => setDialog(null);
  useEffect(() => listen(client), [client, tenant]);
  useEffect(() => {
    const timer = setTimeout(() => {
      const rest = [loadPalette(), ...Object.values(router.routesById).map((route) => router.loadRouteChunk(route))];
      void Promise.allSettled(rest);
    }, REST_AFTER_MS);
    return () => clearTimeout(timer);
  }, [router]);
  useShortcuts({
    palette: () => setDialog(dialog === "palette" ? null : "palette"),
    help: () => setDialog("help"),
    go: (to) => void navigate({ to }),
  });
  return (
    <I18nProvider locale={language === "ja" ? "ja-JP" : "en-US"}>
      <PivotHost>
        <div className={styles.shell}>
          <a className={styles.skip} href="#content">
            {t("app.skip")}
          </a>
          <TopBar onPalette={() => setDialog("palette")} onHelp={() => setDialog("help")} />
          <Rail />
          <div className={styles.stage}>
            <Banner />
            <main id="content" tabIndex={-1} className={styles.main} aria-label={t("app.content")}>
              <Outlet key={tenant ?? ""} />
            </main>
          </div>
        </div>
        {dialog === "palette" && (
          <Suspense fallback={null}>
            <Palette onClose={close} onHelp={() => setDialog("help")} />
          </Suspense>
        )}
        <HelpDialog isOpen={dialog === "help"} onClose={close} />
      </PivotHost>
    </I18nProvider>
  );
}
