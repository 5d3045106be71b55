// Why the server did not do what was asked, in the viewer's words where there are some.
import { useTranslation } from "react-i18next";
import { ApiProblem } from "@/api/problem";
import { ErrorState } from "@/components";

export function Refused({ error }: { error: Error }) {
  const { t } = useTranslation();
  const code = error instanceof ApiProblem ? error.code : "";
  return <ErrorState error={error} said={t(`reparse.refusal.${code as "reparse_busy"}`, { defaultValue: t("reparse.refused") })} />;
}
