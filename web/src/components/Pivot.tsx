// Any value can be gone on from: search for it, exclude it, open its entity, copy it.
import { useLocation, useNavigate } from "@tanstack/react-router";
import { createContext, type ReactNode, useContext, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Popover } from "react-aria-components/Popover";
import type { EntityKind } from "@/api/types";
import { cut, oneLine } from "@/lib/raw";
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

/** What all values share. Tables have hundreds of them: they neither translate by themselves nor are drawn again with the address. */
interface Pivots {
  open: (target: PivotTarget, anchor: Element) => void;
  /** What the button of a value is for, in words. */
  label: (shown: string) => string;
}

const PivotContext = createContext<Pivots>({ open: () => undefined, label: (shown) => shown });

/** The field of the search language that an entity's value stands in. */
const FIELD_OF_KIND: Record<EntityKind, string> = { host: "host", user: "user", ip: "ip", domain: "domain" };

/** Buttons and menus show no more of a value; what is done with it is done with all of it. */
const SHOWN_CHARS_MAX = 1_000;

/** A value with its menu. Children stand for it; else the value itself is shown. */
export function Pivot({ value, field, kind, children }: PivotTarget & { children?: ReactNode }) {
  const { open, label } = useContext(PivotContext);
  const shown = shownOf(value);
  return (
    <button
      type="button"
      className={styles.pivot}
      aria-haspopup="menu"
      title={label(shown)}
      onClick={(event) => {
        event.stopPropagation();
        open({ value, field: field ?? (kind && FIELD_OF_KIND[kind]), kind }, event.currentTarget);
      }}
    >
      {children ?? <bdi className={styles.value}>{shown}</bdi>}
    </button>
  );
}

function shownOf(value: string): string {
  const shown = cut(value, SHOWN_CHARS_MAX);
  return oneLine(shown) + (shown.length < value.length ? "…" : "");
}

/** Holds the one menu that all values share; stands once, around the pages. */
export function PivotHost({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const anchor = useRef<Element | null>(null);
  const [target, setTarget] = useState<PivotTarget | null>(null);
  const entries = usePivotEntries(target);
  const pivots = useMemo(
    (): Pivots => ({
      open: (next, element) => {
        anchor.current = element;
        setTarget(next);
      },
      label: (shown) => t("pivot.label", { value: shown }),
    }),
    [t],
  );
  const close = () => setTarget(null);
  return (
    <PivotContext.Provider value={pivots}>
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
          label={pivots.label(shownOf(target?.value ?? ""))}
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
