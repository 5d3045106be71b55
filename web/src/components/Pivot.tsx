// Any value can be gone on from: search for it, exclude it, open its entity, copy it.
import { useLocation, useNavigate } from "@tanstack/react-router";
import { createContext, type ReactNode, useContext, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Popover } from "react-aria-components/Popover";
import type { EntityKind } from "@/api/types";
import { oneLine } from "@/lib/raw";
import { term, withTerm } from "@/lib/query-text";
import menuStyles from "./Menu.module.css";
import { type MenuEntry, MenuList } from "./Menu";
import styles from "./Pivot.module.css";

export interface PivotTarget {
  value: string;
  /** The field of the search language, such as `src_ip` or `user`; none looks into the record. */
  field?: string | undefined;
  /** Where the value is an entity. */
  kind?: EntityKind | undefined;
}

type Open = (target: PivotTarget, anchor: Element) => void;

const PivotContext = createContext<Open>(() => undefined);

/** The field of the search language that an entity's value stands in. */
const FIELD_OF_KIND: Record<EntityKind, string> = { host: "host", user: "user", ip: "ip", domain: "domain" };

/** A value with its menu. Children stand for it; else the value itself is shown. */
export function Pivot({ value, field, kind, children }: PivotTarget & { children?: ReactNode }) {
  const { t } = useTranslation();
  const open = useContext(PivotContext);
  const shown = oneLine(value);
  return (
    <button
      type="button"
      className={styles.pivot}
      aria-haspopup="menu"
      title={t("pivot.label", { value: shown })}
      onClick={(event) => {
        event.stopPropagation();
        open({ value, field: field ?? (kind && FIELD_OF_KIND[kind]), kind }, event.currentTarget);
      }}
    >
      {children ?? <bdi className={styles.value}>{shown}</bdi>}
    </button>
  );
}

/** Holds the one menu that all values share; stands once, around the pages. */
export function PivotHost({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const anchor = useRef<Element | null>(null);
  const [target, setTarget] = useState<PivotTarget | null>(null);
  const entries = usePivotEntries(target);
  const open: Open = (next, element) => {
    anchor.current = element;
    setTarget(next);
  };
  const close = () => setTarget(null);
  return (
    <PivotContext.Provider value={open}>
      {children}
      <Popover
        className={menuStyles.popover ?? ""}
        triggerRef={anchor}
        isOpen={target !== null}
        onOpenChange={(isOpen) => !isOpen && close()}
        placement="bottom start"
        offset={4}
      >
        <MenuList
          label={t("pivot.label", { value: oneLine(target?.value ?? "") })}
          groups={[{ id: "pivot", entries }]}
          onClose={close}
        />
      </Popover>
    </PivotContext.Provider>
  );
}

function usePivotEntries(target: PivotTarget | null): MenuEntry[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const location = useLocation();
  if (!target) return [];
  const written = term(target.field, target.value);
  // On the search itself the range of time, the columns and their like stay; what was opened does not.
  const { view, ...old } = location.search as { q?: string; view?: string };
  const kept: { q?: string } = location.pathname === "/search" && !view ? old : {};
  const here = kept.q ?? "";
  const search = (q: string) => void navigate({ to: "/search", search: { ...kept, q, event: undefined, job: undefined } });
  const entries: MenuEntry[] = [
    { id: "search", icon: "search", label: t("pivot.search"), onAction: () => search(written) },
    { id: "exclude", icon: "minus", label: t("pivot.exclude"), onAction: () => search(withTerm(here, written, true)) },
  ];
  if (here) entries.splice(1, 0, { id: "add", icon: "plus", label: t("pivot.add"), onAction: () => search(withTerm(here, written)) });
  const { kind, value } = target;
  if (kind) {
    entries.push({
      id: "entity",
      icon: "entities",
      label: t("pivot.entity"),
      onAction: () => void navigate({ to: "/entities/$kind/$value", params: { kind, value } }),
    });
  }
  entries.push({ id: "copy", icon: "copy", label: t("pivot.copy"), onAction: () => void navigator.clipboard.writeText(value) });
  return entries;
}
