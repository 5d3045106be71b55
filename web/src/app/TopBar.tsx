// The bar above every page: palette, live state, tenant and the viewer's settings.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { request } from "@/api/client";
import { keys, overviewQuery, sessionQuery } from "@/api/queries";
import { Button, Icon, Kbd, Menu } from "@/components";
import { Mark } from "@/components/Icon";
import { change, isDark, type Theme, useSettings } from "@/lib/settings";
import { offsetOf } from "@/lib/time";
import { now } from "@/lib/now";
import { PRODUCT, PRODUCT_SIGN } from "./brand";
import { LiveState } from "./LiveState";
import { rarePages } from "./pages";
import styles from "./TopBar.module.css";

export function TopBar({ onPalette, onHelp }: { onPalette: () => void; onHelp: () => void }) {
  const { t } = useTranslation();
  return (
    <header className={styles.bar} aria-label={t("app.bar")}>
      <Link to="/" className={styles.brand} aria-label={PRODUCT}>
        <Mark />
        <span className={styles.sign}>{PRODUCT_SIGN}</span>
        <span>{PRODUCT}</span>
      </Link>
      <button type="button" className={styles.palette} onClick={onPalette} aria-keyshortcuts="Control+K">
        <Icon name="search" size={14} />
        <span className="clip">{t("palette.open")}</span>
        <span className={styles.keys} aria-hidden="true">
          <Kbd>mod</Kbd>
          <Kbd>K</Kbd>
        </span>
      </button>
      <div className={styles.right}>
        <LiveState />
        <span className={styles.rule} />
        <TenantMenu />
        <ZoneMenu />
        <LanguageMenu />
        <ThemeMenu />
        <AccountMenu onHelp={onHelp} />
      </div>
    </header>
  );
}

function TenantMenu() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const tenant = useSearch({ from: "/shell", select: (search) => search.tenant });
  const { data } = useQuery(overviewQuery());
  const names = [...new Set([...(data?.feeds ?? []).map((feed) => feed.tenant), ...(tenant ? [tenant] : [])])].sort();
  const choose = (next: string | undefined) => void navigate({ to: ".", search: (old) => ({ ...old, tenant: next }) });
  const entries = [
    { id: "*", label: t("tenant.all"), chosen: !tenant, onAction: () => choose(undefined) },
    ...names.map((name) => ({ id: `=${name}`, label: name, chosen: name === tenant, onAction: () => choose(name) })),
  ];
  return (
    <Menu
      label={t("tenant.label")}
      groups={[{ id: "tenants", title: t("tenant.label"), entries }]}
      trigger={
        <Button kind="quiet" icon="tenant">
          <span className={styles.tenant}>{tenant ?? t("tenant.all")}</span>
        </Button>
      }
    />
  );
}

function ZoneMenu() {
  const { t } = useTranslation();
  const { zone } = useSettings();
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const entries = [
    { id: "local", label: t("settings.zone_local", { name }), chosen: zone === "local", onAction: () => change({ zone: "local" }) },
    { id: "utc", label: t("settings.zone_utc"), chosen: zone === "utc", onAction: () => change({ zone: "utc" }) },
  ];
  return (
    <Menu
      label={t("settings.zone")}
      groups={[{ id: "zone", title: t("settings.zone"), entries }]}
      trigger={
        <Button kind="quiet" icon="clock" aria-label={t("settings.zone")}>
          {zone === "utc" ? t("settings.zone_utc") : offsetOf(now(), zone)}
        </Button>
      }
    />
  );
}

function LanguageMenu() {
  const { t } = useTranslation();
  const { language } = useSettings();
  const entries = [
    { id: "en", label: t("settings.english"), chosen: language === "en", onAction: () => change({ language: "en" }) },
    { id: "ja", label: t("settings.japanese"), chosen: language === "ja", onAction: () => change({ language: "ja" }) },
  ];
  return (
    <Menu
      label={t("settings.language")}
      groups={[{ id: "language", title: t("settings.language"), entries }]}
      trigger={<Button kind="quiet" icon="globe" aria-label={t("settings.language")} />}
    />
  );
}

function ThemeMenu() {
  const { t } = useTranslation();
  const { theme } = useSettings();
  const entries = (["system", "dark", "light"] as const).map((name: Theme) => ({
    id: name,
    label: t(`settings.theme_${name}`),
    chosen: theme === name,
    onAction: () => change({ theme: name }),
  }));
  return (
    <Menu
      label={t("settings.theme")}
      groups={[{ id: "theme", title: t("settings.theme"), entries }]}
      trigger={<Button kind="quiet" icon={isDark() ? "moon" : "sun"} aria-label={t("settings.theme")} />}
    />
  );
}

function AccountMenu({ onHelp }: { onHelp: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { shortcuts } = useSettings();
  const { data: session } = useQuery({ ...sessionQuery(), enabled: false });
  const signOut = async () => {
    await request("DELETE", "/session").catch(() => undefined);
    await navigate({ to: "/sign-in", search: {} });
    client.removeQueries({ queryKey: keys.session });
    client.clear();
  };
  const entries = [
    { id: "help", icon: "help" as const, label: t("account.help"), onAction: onHelp },
    {
      id: "keys",
      label: t(shortcuts ? "settings.shortcuts_on" : "settings.shortcuts_off"),
      chosen: shortcuts,
      onAction: () => change({ shortcuts: !shortcuts }),
    },
    ...rarePages.map((page) => ({ id: page.to, label: t(page.name), onAction: () => void navigate({ to: page.to }) })),
    { id: "out", label: t("account.sign_out"), onAction: () => void signOut() },
  ];
  return (
    <Menu
      label={t("account.label")}
      groups={[{ id: "account", title: t("account.signed_in_as", { user: session?.user ?? "" }), entries }]}
      trigger={<Button kind="quiet" icon="account" aria-label={t("account.label")} />}
    />
  );
}
