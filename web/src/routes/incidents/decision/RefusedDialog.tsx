// Says which incidents could not be taken over, and why.
import { useTranslation } from "react-i18next";
import { Button, Dialog } from "@/components";
import { keyOf } from "../queue";
import { Conflict } from "./Conflict";
import styles from "./DecisionDialog.module.css";
import type { Refusal } from "./useDecide";

export function RefusedDialog({ refusals, onClose, onDecide }: {
  refusals: readonly Refusal[];
  onClose: () => void;
  /** Goes on to decide in spite of it. */
  onDecide: () => void;
}) {
  const { t } = useTranslation();
  return (
    <Dialog
      title={t("incidents.not_taken")}
      isOpen
      onClose={onClose}
      width={560}
      footer={
        <>
          <Button onPress={onDecide}>{t("incidents.decide")}</Button>
          <Button kind="primary" onPress={onClose}>
            {t("action.close")}
          </Button>
        </>
      }
    >
      <div className={styles.refused}>
        {refusals.map((refusal) => (
          <Conflict key={keyOf(refusal.target)} refusal={refusal} many />
        ))}
      </div>
    </Dialog>
  );
}
