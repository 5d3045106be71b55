// The main navigation: icons with their names in tooltips and for screen readers.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Focusable } from "react-aria-components/Focusable";
import { Tooltip, TooltipTrigger } from "react-aria-components/Tooltip";
import { Icon, Kbd } from "@/components";
import tipStyles from "@/components/Tip.module.css";
import { useSettings } from "@/lib/settings";
import { pages } from "./pages";
import styles from "./Rail.module.css";

export function Rail() {
  const { t } = useTranslation();
  const { shortcuts } = useSettings();
  return (
    <nav className={styles.rail} aria-label={t("app.navigation")}>
      <ul>
        {pages.map((page) => (
          <li key={page.to}>
            <TooltipTrigger delay={200} closeDelay={0}>
              <Focusable>
                <Link
                  to={page.to}
                  className={styles.link}
                  activeProps={{ "data-active": true }}
                  activeOptions={{ exact: page.to === "/", includeSearch: false }}
                  aria-label={t(page.name)}
                >
                  <Icon name={page.icon} size={18} />
                </Link>
              </Focusable>
              <Tooltip placement="right" offset={6} className={`${tipStyles.tip} ${styles.tip}`}>
                {t(page.name)}
                {shortcuts && (
                  <span aria-hidden="true">
                    <Kbd>g</Kbd> <Kbd>{page.key}</Kbd>
                  </span>
                )}
              </Tooltip>
            </TooltipTrigger>
          </li>
        ))}
      </ul>
    </nav>
  );
}
