// Making a token, and taking one away.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { request, segment } from "@/api/client";
import { tokensQuery } from "@/api/queries";
import type { NewToken, Token } from "@/api/types";
import { Button, Dialog, ErrorState } from "@/components";
import { oneLine } from "@/lib/raw";
import styles from "./Account.module.css";

const NAME_CHARS_MAX = 100;
const FORM = "new-token";

export function CreateToken({ isOpen, onClose, onMade }: { isOpen: boolean; onClose: () => void; onMade: (token: NewToken) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const make = useMutation({
    mutationFn: () => request<NewToken>("POST", "/tokens", { body: { name: name.trim() } }),
    onSuccess: (token) => {
      setName("");
      onMade(token);
      return client.invalidateQueries({ queryKey: tokensQuery().queryKey });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== "" && !make.isPending) make.mutate();
  };
  const close = () => {
    make.reset();
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
            isDisabled={name.trim() === "" || make.isPending}
            {...(name.trim() === "" && { hint: t("account_page.name_needed") })}
          >
            {t("account_page.create_now")}
          </Button>
        </>
      }
    >
      <form id={FORM} className={styles.form} onSubmit={submit}>
        <label htmlFor="token-name">{t("account_page.name")}</label>
        <input
          id="token-name"
          value={name}
          maxLength={NAME_CHARS_MAX}
          autoFocus
          autoComplete="off"
          spellCheck={false}
          aria-describedby="token-name-hint"
          onChange={(event) => setName(event.target.value)}
        />
        <p id="token-name-hint" className="muted">
          {t("account_page.name_hint")}
        </p>
      </form>
      {make.error && <ErrorState error={make.error} />}
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
