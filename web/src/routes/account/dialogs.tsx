// Making a token, and taking one away.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { make, request, segment } from "@/api/client";
import { tokensQuery } from "@/api/queries";
import type { NewToken, Token } from "@/api/types";
import { Button, Dialog, DialogForm, ErrorState, LineField } from "@/components";
import { oneLine } from "@/lib/raw";

const NAME_CHARS_MAX = 100;
const FORM = "new-token";

export function CreateToken({ isOpen, onClose, onMade }: { isOpen: boolean; onClose: () => void; onMade: (token: NewToken) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const creation = useMutation({
    mutationFn: () => make<NewToken>("/tokens", { body: { name: name.trim() } }),
    onSuccess: (token) => {
      setName("");
      onMade(token);
      return client.invalidateQueries({ queryKey: tokensQuery().queryKey });
    },
  });
  const submit = () => {
    if (name.trim() !== "" && !creation.isPending) creation.mutate();
  };
  const close = () => {
    creation.reset();
    onClose();
  };
  return (
    <Dialog
      title={t("account_page.create")}
      isOpen={isOpen}
      onClose={close}
      footer={
        <>
          <Button onPress={close}>{t("action.cancel")}</Button>
          <Button
            kind="primary"
            type="submit"
            form={FORM}
            isDisabled={name.trim() === "" || creation.isPending}
            {...(name.trim() === "" && { hint: t("account_page.name_needed") })}
          >
            {t("account_page.create_now")}
          </Button>
        </>
      }
    >
      <DialogForm id={FORM} onSubmit={submit}>
        <LineField label={t("account_page.name")} hint={t("account_page.name_hint")} value={name} charsMax={NAME_CHARS_MAX} onChange={setName} autoFocus />
      </DialogForm>
      {creation.error && <ErrorState error={creation.error} />}
    </Dialog>
  );
}

export function RemoveToken({ token, onClose, onRemoved }: { token: Token | null; onClose: () => void; onRemoved: (id: string) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: (id: string) => request("DELETE", `/tokens/${segment(id)}`),
    onSuccess: (_, id) => {
      onRemoved(id);
      return client.invalidateQueries({ queryKey: tokensQuery().queryKey });
    },
  });
  const close = () => {
    remove.reset();
    onClose();
  };
  return (
    <Dialog
      title={t("account_page.remove_title")}
      isOpen={token !== null}
      onClose={close}
      footer={
        <>
          <Button onPress={close}>{t("action.cancel")}</Button>
          <Button kind="danger" isDisabled={remove.isPending} onPress={() => token && remove.mutate(token.id)}>
            {t("account_page.remove_now")}
          </Button>
        </>
      }
    >
      <p>{t("account_page.remove_about", { name: oneLine(token?.name ?? "") })}</p>
      {remove.error && <ErrorState error={remove.error} />}
    </Dialog>
  );
}
