// All keyboard shortcuts, and the switch that turns them off.
import { useTranslation } from "react-i18next";
import { Dialog, Kbd } from "@/components";
import { change, useSettings } from "@/lib/settings";
import styles from "./HelpDialog.module.css";
import { pages } from "./pages";

const LIST_KEYS = [
  { name: "keys.down", keys: ["j", "↓"] },
  { name: "keys.up", keys: ["k", "↑"] },
  { name: "keys.open", keys: ["Enter"] },
  { name: "keys.peek", keys: ["Space"] },
  { name: "keys.select", keys: ["x"] },
  { name: "keys.ends", keys: ["Home", "End"] },
] as const;

const INCIDENT_KEYS = [
  { name: "incidents.key_propose", keys: ["1", "8"] },
  { name: "incidents.take", keys: ["a"] },
  { name: "incidents.key_owner", keys: ["o"] },
  { name: "incidents.decide", keys: ["v"] },
  { name: "incidents.note_hint", keys: ["n"] },
  { name: "incidents.key_copy", keys: ["c"] },
  { name: "incidents.key_narrow", keys: ["[", "]"] },
  { name: "incidents.whole_span", keys: ["\\"] },
] as const;

export function HelpDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const { shortcuts } = useSettings();
  return (
    <Dialog title={t("keys.title")} isOpen={isOpen} onClose={onClose} width={640}>
      <div className={styles.columns}>
        <section>
          <h3>{t("keys.general")}</h3>
          <dl className={styles.list}>
            <Row name={t("keys.palette")} keys={["mod", "K"]} />
            {pages.map((page) => (
              <Row key={page.to} name={t(page.name)} keys={["g", page.key]} joiner={t("keys.then")} />
            ))}
            <Row name={t("keys.filter")} keys={["/"]} />
            <Row name={t("keys.close")} keys={["Esc"]} />
            <Row name={t("keys.help")} keys={["?"]} />
          </dl>
        </section>
        <div className={styles.stack}>
          <section>
            <h3>{t("keys.lists")}</h3>
            <dl className={styles.list}>
              {LIST_KEYS.map((row) => (
                <Row key={row.name} name={t(row.name)} keys={row.keys} />
              ))}
            </dl>
          </section>
          <section>
            <h3>{t("page.incidents")}</h3>
            <dl className={styles.list}>
              {INCIDENT_KEYS.map((row) => (
                <Row key={row.name} name={t(row.name)} keys={row.keys} />
              ))}
            </dl>
          </section>
        </div>
      </div>
      <label className={styles.switch}>
        <input type="checkbox" checked={shortcuts} onChange={(event) => change({ shortcuts: event.target.checked })} />
        {t("keys.use")}
      </label>
    </Dialog>
  );
}

function Row({ name, keys, joiner }: { name: string; keys: readonly string[]; joiner?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {keys.map((key, i) => (
          <span key={key}>
            {i > 0 && joiner && <span className={styles.joiner}>{joiner}</span>}
            <Kbd>{key}</Kbd>
          </span>
        ))}
      </dd>
    </div>
  );
}
