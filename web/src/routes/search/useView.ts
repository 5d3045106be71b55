// The view of the search page, which is the address, and how to change it.
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { useStable } from "@/lib/useStable";
import { searchRoute, type SearchSearch } from "./route";
import { DEFAULT_COLUMNS, DEFAULT_FIELDS } from "./fields";

/** The view; `set` changes parts of it, as a new entry of the history unless `replace`. */
export function useView() {
  const view: SearchSearch = searchRoute.useSearch();
  const navigate = useNavigate();
  const set = useStable((part: Partial<SearchSearch>, replace: boolean = false) => {
    const search: SearchSearch = { ...view, ...part };
    void navigate({ to: "/search", search, replace });
  });
  const columns = useMemo(() => listOf(view.cols) ?? DEFAULT_COLUMNS, [view.cols]);
  const fields = useMemo(() => listOf(view.fields) ?? DEFAULT_FIELDS, [view.fields]);
  return { view, set, columns, fields };
}

export type SetView = ReturnType<typeof useView>["set"];

function listOf(text: string | undefined): readonly string[] | null {
  const names = text?.split(",").filter((name, i, all) => name !== "" && all.indexOf(name) === i) ?? [];
  return names.length > 0 ? names : null;
}
