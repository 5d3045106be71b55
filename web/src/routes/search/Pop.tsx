// A button that opens a small panel beside it.
import type { ReactNode } from "react";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { Popover } from "react-aria-components/Popover";
import { Button } from "@/components";
import type { IconName } from "@/components/Icon";
import styles from "./Pop.module.css";

export function Pop({ label, icon, text, title, width = 320, placement = "bottom end", quiet = true, children }: {
  /** Names the button where there is no `text`, and the panel. */
  label: string;
  icon?: IconName;
  text?: ReactNode;
  /** Shown at the top of the panel. */
  title?: string;
  width?: number;
  placement?: "bottom end" | "bottom start";
  quiet?: boolean;
  children: (close: () => void) => ReactNode;
}) {
  return (
    <DialogTrigger>
      <Button kind={quiet ? "quiet" : "plain"} {...(icon && { icon })} {...(text ? { "aria-label": label } : { hint: label })}>
        {text}
      </Button>
      <Popover className={styles.popover ?? ""} placement={placement} offset={4}>
        <Dialog className={styles.dialog ?? ""} style={{ width }} aria-label={title ?? label}>
          {({ close }) => (
            <>
              {title && <h3 className={styles.title}>{title}</h3>}
              {children(close)}
            </>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
