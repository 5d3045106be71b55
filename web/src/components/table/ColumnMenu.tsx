// Chooses which columns of a table show.
import { useTranslation } from "react-i18next";
import { Button } from "../Button";
import { Menu } from "../Menu";
import type { Column } from "./columns";

export function ColumnMenu<T>({ columns, visibility, onChange }: {
  columns: readonly Column<T>[];
  visibility: Record<string, boolean>;
  onChange: (visibility: Record<string, boolean>) => void;
}) {
  const { t } = useTranslation();
  const entries = columns
    .filter((column) => !column.fixed)
    .map((column) => ({
      id: column.id,
      label: column.header,
      chosen: visibility[column.id] !== false,
      onAction: () => onChange({ ...visibility, [column.id]: visibility[column.id] === false }),
    }));
  if (entries.length === 0) return null;
  return (
    <Menu
      label={t("table.columns")}
      trigger={<Button kind="quiet" icon="columns" aria-label={t("table.columns")} excludeFromTabOrder />}
      groups={[{ id: "columns", title: t("table.columns"), entries }]}
    />
  );
}
