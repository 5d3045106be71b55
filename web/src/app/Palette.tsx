// The command palette: pages, open incidents, settings, and searching for what was typed.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Autocomplete } from "react-aria-components/Autocomplete";
import { Dialog } from "react-aria-components/Dialog";
import { Header } from "react-aria-components/Header";
import { Input } from "react-aria-components/Input";
import { Menu, MenuItem, MenuSection } from "react-aria-components/Menu";
import { Modal, ModalOverlay } from "react-aria-components/Modal";
import { TextField } from "react-aria-components/TextField";
import { recentIncidentsQuery } from "@/api/queries";
import { Icon, Kbd, SeverityMark } from "@/components";
import type { IconName } from "@/components/Icon";
import dialogStyles from "@/components/Dialog.module.css";
import { useLocalText, useWord } from "@/i18n/words";
import { entityKindOf } from "@/lib/entity-kind";
import { change, isDark, useSettings } from "@/lib/settings";
import styles from "./Palette.module.css";
import { pages, rarePages } from "./pages";

interface Command {
  id: string;
  text: string;
  mark: ReactNode;
  aside?: ReactNode;
  run: () => void;
}

interface Group {
  id: string;
  title: string;
  commands: Command[];
}

const INCIDENTS_MAX = 8;

export default function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const groups = useGroups(typed.trim(), onClose, onHelp);
  return (
    <ModalOverlay className={dialogStyles.shade ?? ""} isOpen onOpenChange={(open) => !open && onClose()} isDismissable>
      <Modal className={`${dialogStyles.modal} ${styles.modal}`}>
        <Dialog className={styles.dialog ?? ""} aria-label={t("palette.label")}>
          <Autocomplete inputValue={typed} onInputChange={setTyped}>
            <TextField className={styles.field ?? ""} aria-label={t("palette.input")} autoFocus>
              <Icon name="search" />
              <Input className={styles.input ?? ""} placeholder={t("palette.input")} spellCheck="false" />
              <Kbd>Esc</Kbd>
            </TextField>
            <Menu
              className={styles.list ?? ""}
              aria-label={t("palette.label")}
              renderEmptyState={() => <p className={styles.none}>{t("palette.none")}</p>}
            >
              {groups.map((group) => (
                <MenuSection key={group.id} id={group.id} className={styles.section ?? ""} aria-label={group.title}>
                  <Header className={styles.title ?? ""}>{group.title}</Header>
                  {group.commands.map((command) => (
                    <MenuItem
                      key={command.id}
                      id={command.id}
                      className={styles.item ?? ""}
                      textValue={command.text}
                      onAction={() => {
                        onClose();
                        command.run();
                      }}
                    >
                      <span className={styles.mark}>{command.mark}</span>
                      <span className="clip">{command.text}</span>
                      {command.aside && <span className={styles.aside}>{command.aside}</span>}
                    </MenuItem>
                  ))}
                </MenuSection>
              ))}
            </Menu>
          </Autocomplete>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function useGroups(typed: string, onClose: () => void, onHelp: () => void): Group[] {
  const { t } = useTranslation();
  const sought = typed.toLowerCase();
  const all: Group[] = [
    { id: "search", title: t("palette.search"), commands: useSearchCommands(typed) },
    { id: "pages", title: t("palette.pages"), commands: usePageCommands(sought !== "").filter((c) => matches(c, sought)) },
    {
      id: "incidents",
      title: t("palette.incidents"),
      commands: useIncidentCommands().filter((c) => matches(c, sought)).slice(0, INCIDENTS_MAX),
    },
    { id: "actions", title: t("palette.actions"), commands: useActionCommands(onClose, onHelp).filter((c) => matches(c, sought)) },
  ];
  if (sought) {
    const [search, ...others] = all;
    const found = others.some((group) => group.commands.length > 0);
    if (found && search) return [...others, search].filter((group) => group.commands.length > 0);
  }
  return all.filter((group) => group.commands.length > 0);
}

function matches(command: Command, sought: string): boolean {
  const text = `${command.text} ${command.id}`.toLowerCase();
  return sought.split(/\s+/).every((part) => text.includes(part));
}

function useSearchCommands(typed: string): Command[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const word = useWord();
  if (!typed) return [];
  const commands: Command[] = [
    {
      id: "search:events",
      text: t("palette.search_for", { text: typed }),
      mark: <Icon name="search" />,
      run: () => void navigate({ to: "/search", search: { q: typed } }),
    },
  ];
  const kind = entityKindOf(typed);
  if (kind) {
    commands.push({
      id: "search:entity",
      text: t("palette.open_entity", { kind: word("entity_kind", kind), value: typed }),
      mark: <Icon name="entities" />,
      run: () => void navigate({ to: "/entities/$kind/$value", params: { kind, value: typed.toLowerCase() } }),
    });
  }
  return commands;
}

/** With `rare` also those that are needed now and then, which come once one types. */
function usePageCommands(rare: boolean): Command[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return [...pages, ...(rare ? rarePages : [])].map((page) => ({
    id: `page:${page.to}`,
    text: t(page.name),
    mark: <Icon name={page.icon} />,
    aside: "key" in page && (
      <>
        <Kbd>g</Kbd>
        <Kbd>{page.key}</Kbd>
      </>
    ),
    run: () => void navigate({ to: page.to }),
  }));
}

function useIncidentCommands(): Command[] {
  const navigate = useNavigate();
  const local = useLocalText();
  const { data } = useQuery(recentIncidentsQuery());
  return (data?.items ?? []).map((incident) => ({
    id: `incident:${incident.tenant}:${incident.id}`,
    text: `${incident.id}  ${local(incident.title, incident.title_ja)}`,
    mark: <SeverityMark value={incident.severity} bare />,
    run: () => void navigate({ to: "/incidents/$id", params: { id: incident.id } }),
  }));
}

function useActionCommands(onClose: () => void, onHelp: () => void): Command[] {
  const { t } = useTranslation();
  const { language, zone } = useSettings();
  const icon = (name: IconName) => <Icon name={name} />;
  return [
    {
      id: "action:language",
      text: t("settings.switch_language"),
      mark: icon("globe"),
      run: () => change({ language: language === "ja" ? "en" : "ja" }),
    },
    {
      id: "action:theme",
      text: `${t("settings.theme")}: ${isDark() ? t("settings.theme_light") : t("settings.theme_dark")}`,
      mark: icon(isDark() ? "sun" : "moon"),
      run: () => change({ theme: isDark() ? "light" : "dark" }),
    },
    {
      id: "action:zone",
      text: `${t("settings.zone")}: ${zone === "utc" ? t("settings.zone_local", { name: Intl.DateTimeFormat().resolvedOptions().timeZone }) : t("settings.zone_utc")}`,
      mark: icon("clock"),
      run: () => change({ zone: zone === "utc" ? "local" : "utc" }),
    },
    {
      id: "action:help",
      text: t("keys.title"),
      mark: icon("help"),
      aside: <Kbd>?</Kbd>,
      run: () => {
        onClose();
        onHelp();
      },
    },
  ];
}
