// A button that opens a list of actions or choices.
import type { ReactElement, ReactNode } from "react";
import { Header } from "react-aria-components/Header";
import { Menu as AriaMenu, MenuItem, MenuSection, MenuTrigger } from "react-aria-components/Menu";
import { Popover } from "react-aria-components/Popover";
import { Icon, type IconName } from "./Icon";
import styles from "./Menu.module.css";

export interface MenuEntry {
  id: string;
  label: ReactNode;
  /** What is typed to reach it, where the label is no text. */
  text?: string;
  icon?: IconName;
  /** `true` or `false` makes it a choice with a tick. */
  chosen?: boolean;
  onAction: () => void;
}

export interface MenuGroup {
  id: string;
  title?: string;
  entries: MenuEntry[];
}

export function Menu({ trigger, label, groups }: { trigger: ReactElement; label: string; groups: MenuGroup[] }) {
  return (
    <MenuTrigger>
      {trigger}
      <Popover className={styles.popover ?? ""} placement="bottom end" offset={4}>
        <MenuList label={label} groups={groups} />
      </Popover>
    </MenuTrigger>
  );
}

/** The list alone, for a popover that another component places. */
export function MenuList({ label, groups, onClose }: { label: string; groups: MenuGroup[]; onClose?: () => void }) {
  return (
    <AriaMenu aria-label={label} className={styles.menu ?? ""} autoFocus="first" onClose={onClose}>
      {groups.map((group) => (
        <MenuSection key={group.id} id={group.id} className={styles.section ?? ""} aria-label={group.title ?? label}>
          {group.title && <Header className={styles.title ?? ""}>{group.title}</Header>}
          {group.entries.map((entry) => (
            <MenuItem
              key={entry.id}
              id={`${group.id}/${entry.id}`}
              className={styles.item ?? ""}
              textValue={entry.text ?? (typeof entry.label === "string" ? entry.label : entry.id)}
              onAction={entry.onAction}
            >
              <span className={styles.mark}>
                {entry.chosen ? <Icon name="check" /> : entry.icon ? <Icon name={entry.icon} /> : null}
              </span>
              <span className={styles.label}>{entry.label}</span>
            </MenuItem>
          ))}
        </MenuSection>
      ))}
    </AriaMenu>
  );
}
