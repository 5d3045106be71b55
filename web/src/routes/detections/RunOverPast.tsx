// Goes to the hunt that runs a rule over the past.
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Button } from "@/components";
import { canRun, idsText } from "@/routes/search/rules/rule-hunt";

export function RunOverPast({ rule }: { rule: Parameters<typeof canRun>[0] }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  if (!canRun(rule)) return null;
  return (
    <Button kind="quiet" icon="history" onPress={() => void navigate({ to: "/search", search: { view: "hunt", by: "rules", rule: idsText([rule.id]) } })}>
      {t("search.hunt.rules.run_over_past")}
    </Button>
  );
}
