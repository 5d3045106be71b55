// The search page: its tabs, and the searches in the background beside them.
import { useTranslation } from "react-i18next";
import { Page } from "@/app/Page";
import { Tabs } from "@/components";
import { Background } from "./Background";
import { HuntTab } from "./HuntTab";
import { PipeTab } from "./PipeTab";
import { SearchTab } from "./SearchTab";
import { useView } from "./useView";

export function SearchPage() {
  const { t } = useTranslation();
  const { view, set } = useView();
  const chosen = view.view ?? "search";
  return (
    <Page title={t("page.search")} fill>
      <Tabs
        label={t("search.view.label")}
        chosen={chosen}
        onChoose={(id) => set({ view: id === "pipe" || id === "hunt" ? id : undefined })}
        aside={<Background shown={view.job} onShow={(job) => set({ view: undefined, job, event: undefined })} />}
        tabs={[
          { id: "search", title: t("search.view.search"), content: <SearchTab /> },
          { id: "pipe", title: t("search.view.pipe"), content: <PipeTab /> },
          { id: "hunt", title: t("search.view.hunt"), content: <HuntTab /> },
        ]}
      />
    </Page>
  );
}
