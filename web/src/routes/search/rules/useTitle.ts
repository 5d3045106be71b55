// What a run is called: its first rule, and how many there are beside it.
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { RuleHuntCost } from "@/api/types";
import { count } from "@/lib/number";
import { oneLine } from "@/lib/raw";
import { inOrder } from "./rule-hunt";

export function useTitle(): (cost: RuleHuntCost) => string {
  const { t } = useTranslation();
  return useCallback(
    ({ rules }) => {
      const first = inOrder(rules)[0];
      const title = oneLine(first?.title || first?.id || "");
      const more = rules.length - 1;
      return more > 0 ? t("search.hunt.rules.and_more", { title, count: more, number: count(more) }) : title;
    },
    [t],
  );
}
