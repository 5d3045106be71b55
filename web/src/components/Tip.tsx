// A tooltip for a focusable child.
import type { ReactElement } from "react";
import { Tooltip, TooltipTrigger } from "react-aria-components/Tooltip";
import styles from "./Tip.module.css";

export function Tip({ text, children, placement = "bottom" }: {
  text: string;
  children: ReactElement;
  placement?: "bottom" | "top" | "right" | "left";
}) {
  return (
    <TooltipTrigger delay={400} closeDelay={0}>
      {children}
      <Tooltip className={styles.tip ?? ""} placement={placement} offset={6}>
        {text}
      </Tooltip>
    </TooltipTrigger>
  );
}
