// The widths of columns, kept in this browser by their field.
import { useMemo, useState } from "react";
import type { Widths } from "./FieldPicker";
import { widthOf } from "./fields";

const KEY = "yagura.column-widths";
const WIDTH_MIN_PX = 48;
const WIDTH_MAX_PX = 2_000;

export function useWidths(): Widths {
  const [kept, setKept] = useState(read);
  return useMemo(
    () => ({
      of: (name) => kept[name] ?? widthOf(name),
      set: (name, width) => {
        const next = { ...read(), [name]: Math.max(WIDTH_MIN_PX, Math.min(WIDTH_MAX_PX, width)) };
        setKept(next);
        try {
          localStorage.setItem(KEY, JSON.stringify(next));
        } catch {
          // The width holds until the page is closed.
        }
      },
    }),
    [kept],
  );
}

function read(): Record<string, number> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, number>;
  } catch {
    return {};
  }
}
