// The account: who is signed in, and the API tokens that programs use.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { sessionQuery, tokensQuery } from "@/api/queries";
import type { NewToken, Token } from "@/api/types";
import { Page } from "@/app/Page";
import { Button, Empty, Loaded, Panel, Time } from "@/components";
import { oneLine } from "@/lib/raw";
import styles from "./Account.module.css";
import { CreateToken, RemoveToken } from "./dialogs";
import { Secret } from "./Secret";

export function AccountPage() {
  const { t } = useTranslation();
  const tokens = useQuery(tokensQuery());
  const [creating, setCreating] = useState(false);
  const [removing, setRemoving] = useState<Token | null>(null);
  const [made, setMade] = useState<NewToken | null>(null);
  return (
    <Page title={t("page.account")} heading>
      <div className={styles.narrow}>
        <Session />
        {made && <Secret token={made} onClose={() => setMade(null)} />}
        <Panel
          flush
          title={t("account_page.tokens")}
          aside={
            <Button icon="plus" onPress={() => setCreating(true)}>
              {t("account_page.create")}
            </Button>
          }
        >
          <p className={styles.about}>{t("account_page.tokens_about")}</p>
          <Loaded query={tokens} rows={3}>
            {(list) => <Tokens items={list.items} newest={made?.id} onRemove={setRemoving} />}
          </Loaded>
        </Panel>
      </div>
      <CreateToken
        isOpen={creating}
        onClose={() => setCreating(false)}
        onMade={(token) => {
          setMade(token);
          setCreating(false);
        }}
      />
      <RemoveToken
        token={removing}
        onClose={() => setRemoving(null)}
        onRemoved={(id) => {
          setRemoving(null);
          if (made?.id === id) setMade(null);
        }}
      />
    </Page>
  );
}

function Session() {
  const { t } = useTranslation();
  const { data } = useQuery(sessionQuery());
  return (
    <Panel title={t("account_page.session")}>
      <dl className={styles.session}>
        <div>
          <dt>{t("account_page.user")}</dt>
          <dd>{data && oneLine(data.user)}</dd>
        </div>
        <div>
          <dt>{t("account_page.role")}</dt>
          <dd>{data && t(`account_page.role_${data.role}` as "account_page.role_administrator", { defaultValue: data.role })}</dd>
        </div>
        <div>
          <dt>{t("account_page.expires")}</dt>
          <dd>
            <Time value={data?.expires_time_dt} />
          </dd>
        </div>
      </dl>
    </Panel>
  );
}

function Tokens({ items, newest, onRemove }: { items: Token[]; newest: string | undefined; onRemove: (token: Token) => void }) {
  const { t } = useTranslation();
  if (items.length === 0) {
    return (
      <Empty reason="data">
        <p>{t("account_page.none")}</p>
      </Empty>
    );
  }
  return (
    <table className={styles.table}>
      <caption className="visually-hidden">{t("account_page.tokens")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("account_page.name")}</th>
          <th scope="col">{t("account_page.by")}</th>
          <th scope="col">{t("account_page.since")}</th>
          <th scope="col">
            <span className="visually-hidden">{t("account_page.remove")}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((token) => (
          <tr key={token.id} data-new={token.id === newest || undefined}>
            <th scope="row">{oneLine(token.name)}</th>
            <td>{oneLine(token.by)}</td>
            <td>
              <Time value={token.time_dt} />
            </td>
            <td className={styles.end}>
              <Button kind="quiet" aria-label={t("account_page.remove_one", { name: oneLine(token.name) })} onPress={() => onRemove(token)}>
                {t("account_page.remove")}
              </Button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
