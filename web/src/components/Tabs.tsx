// Tabs whose chosen one lives wherever the caller keeps it, which should be the address.
import type { ReactNode } from "react";
import { Tab, TabList, TabPanel, Tabs as AriaTabs } from "react-aria-components/Tabs";
import styles from "./Tabs.module.css";

export interface TabEntry {
  id: string;
  title: ReactNode;
  content: ReactNode;
}

export function Tabs({ label, tabs, chosen, onChoose, aside }: {
  label: string;
  tabs: TabEntry[];
  chosen: string;
  onChoose: (id: string) => void;
  /** At the right of the tabs. */
  aside?: ReactNode;
}) {
  return (
    <AriaTabs className={styles.tabs ?? ""} selectedKey={chosen} onSelectionChange={(key) => onChoose(String(key))}>
      <div className={styles.head}>
        <TabList aria-label={label} className={styles.list ?? ""}>
          {tabs.map((tab) => (
            <Tab key={tab.id} id={tab.id} className={styles.tab ?? ""}>
              {tab.title}
            </Tab>
          ))}
        </TabList>
        {aside && <div className={styles.aside}>{aside}</div>}
      </div>
      {tabs.map((tab) => (
        <TabPanel key={tab.id} id={tab.id} className={styles.panel ?? ""}>
          {tab.content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
