// Asks before what a run found becomes findings of the platform, and says what that means.
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { make, segment } from "@/api/client";
import type { Recorded, RuleHunt } from "@/api/types";
import { Button, Dialog, ErrorState } from "@/components";
import { count } from "@/lib/number";
import styles from "./RuleHunt.module.css";

export function RecordDialog({ run, onClose, onRecorded }: { run: RuleHunt; onClose: () => void; onRecorded: (done: Recorded) => void }) {
  const { t } = useTranslation();
  const record = useMutation({
    mutationFn: () => make<Recorded>(`/rule-hunts/${segment(run.id)}/record`),
    onSuccess: onRecorded,
  });
  return (
    <Dialog
      title={t("search.hunt.rules.record")}
      isOpen
      onClose={onClose}
      width={520}
      footer={
        <>
          <Button onPress={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" onPress={() => record.mutate()} isDisabled={record.isPending}>
            {t("search.hunt.rules.record_now")}
          </Button>
        </>
      }
    >
      <p>{t("search.hunt.rules.record_about", { count: run.findings_kept, number: count(run.findings_kept) })}</p>
      <ul className={styles.means}>
        <li>{t("search.hunt.rules.record_marked")}</li>
        <li>{t("search.hunt.rules.record_counts")}</li>
        <li>{t("search.hunt.rules.record_known")}</li>
        <li>{t("search.hunt.rules.record_final")}</li>
      </ul>
      {record.error && <ErrorState error={record.error} />}
    </Dialog>
  );
}
