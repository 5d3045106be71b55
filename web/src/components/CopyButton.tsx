// Copies a text and says so.
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./Button";

/** `text` may be a function where it takes time to put together. */
export function CopyButton({ text, label }: { text: string | (() => string); label?: string }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  // A page has dozens of these; only the one that has the focus needs to be heard.
  const [focused, setFocused] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1_500);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => void navigator.clipboard.writeText(typeof text === "string" ? text : text()).then(() => setCopied(true));
  return (
    <>
      <Button kind="quiet" icon={copied ? "check" : "copy"} hint={label ?? t("copy.copy")} onPress={copy} onFocusChange={setFocused} />
      {(focused || copied) && (
        <span className="visually-hidden" role="status">
          {copied ? t("copy.copied") : ""}
        </span>
      )}
    </>
  );
}
