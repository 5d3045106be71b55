// Signing in with the administrator's password.
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { request, setCsrfToken } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import { keys } from "@/api/queries";
import type { Session } from "@/api/types";
import { PRODUCT, PRODUCT_SIGN } from "@/app/brand";
import { Button, Icon } from "@/components";
import { Mark } from "@/components/Icon";
import { backPath } from "@/lib/params";
import { change, useSettings } from "@/lib/settings";
import { signInRoute } from "./route";
import styles from "./SignInPage.module.css";
import { Tower } from "./Tower";
import { useCountdown } from "./useCountdown";

const WAIT_SECONDS = 60;

export function SignInPage() {
  const { t } = useTranslation();
  useEffect(() => {
    document.title = t("app.page_title", { page: t("page.sign_in") });
  }, [t]);
  return (
    <main className={styles.page}>
      <Tower />
      <div className={styles.card}>
        <h1 className={styles.brand}>
          <span className={styles.mark}>
            <Mark />
          </span>
          <span className={styles.sign}>{PRODUCT_SIGN}</span> {PRODUCT}
        </h1>
        <p className={styles.tagline}>{t("app.tagline")}</p>
        <SignInForm />
      </div>
      <LanguageSwitch />
    </main>
  );
}

function SignInForm() {
  const { t } = useTranslation();
  const { back } = signInRoute.useSearch();
  const client = useQueryClient();
  const router = useRouter();
  const field = useRef<HTMLInputElement>(null);
  const [password, setPassword] = useState("");
  const [shown, setShown] = useState(false);
  const [capsLock, setCapsLock] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [wait, waitFor] = useCountdown();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || wait > 0) return;
    setBusy(true);
    setProblem(null);
    try {
      const session = await request<Session>("POST", "/session", { body: { password } });
      setCsrfToken(session.csrf_token);
      client.clear();
      client.setQueryData(keys.session, session);
      router.history.push(backPath(back));
    } catch (error) {
      const found = error instanceof ApiProblem ? error : new ApiProblem(0, "unknown", "", String(error));
      if (found.code === "sign_in_limited") waitFor(found.retryAfterSeconds ?? WAIT_SECONDS);
      setProblem(found);
      setBusy(false);
      field.current?.select();
    }
  };
  const onKey = (event: KeyboardEvent) => setCapsLock(event.getModifierState("CapsLock"));
  const text = problem && problemText(problem);
  return (
    <form className={styles.form} onSubmit={(event) => void submit(event)}>
      {back && back !== "/" && !problem && <p className={styles.back}>{t("sign_in.back")}</p>}
      <label htmlFor="password">{t("sign_in.password")}</label>
      <div className={styles.field}>
        <input
          ref={field}
          id="password"
          type={shown ? "text" : "password"}
          autoComplete="current-password"
          autoCapitalize="off"
          spellCheck={false}
          required
          autoFocus
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          onKeyDown={onKey}
          onKeyUp={onKey}
          aria-invalid={problem !== null}
          aria-describedby="problem caps"
        />
        <button type="button" className={styles.show} aria-pressed={shown} onClick={() => setShown(!shown)}>
          {shown ? t("sign_in.hide") : t("sign_in.show")}
        </button>
      </div>
      <p id="caps" className={styles.caps} role="status">
        {capsLock && t("sign_in.caps_lock")}
      </p>
      <Button type="submit" kind="primary" isDisabled={busy || wait > 0}>
        {wait > 0 ? t("sign_in.wait", { seconds: wait }) : busy ? t("sign_in.busy") : t("sign_in.submit")}
      </Button>
      <p id="problem" role="alert" className={styles.problem}>
        {text && (
          <>
            <Icon name="warning" />
            {text}
          </>
        )}
      </p>
    </form>
  );

  function problemText(found: ApiProblem): string {
    if (found.unreachable) return t("state.unreachable");
    if (found.code === "sign_in_refused") return t("sign_in.refused");
    if (found.code === "sign_in_limited") return wait > 0 ? t("sign_in.limited") : "";
    return t("sign_in.failed", { code: found.code });
  }
}

function LanguageSwitch() {
  const { t } = useTranslation();
  const { language } = useSettings();
  return (
    <div className={styles.language} role="group" aria-label={t("settings.language")}>
      {(["ja", "en"] as const).map((id) => (
        <button key={id} type="button" lang={id} aria-pressed={language === id} onClick={() => change({ language: id })}>
          {id === "ja" ? t("settings.japanese") : t("settings.english")}
        </button>
      ))}
    </div>
  );
}
