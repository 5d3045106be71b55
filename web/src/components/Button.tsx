// A button; one that is disabled says why.
import type { ReactNode } from "react";
import { Button as AriaButton, type ButtonProps as AriaButtonProps } from "react-aria-components/Button";
import styles from "./Button.module.css";
import { Icon, type IconName } from "./Icon";
import { Tip } from "./Tip";

export interface ButtonProps extends Omit<AriaButtonProps, "className" | "style" | "children"> {
  children?: ReactNode;
  icon?: IconName;
  kind?: "plain" | "primary" | "quiet" | "danger";
  /** Shown in a tooltip; with `isDisabled`, the reason. Also the label where there is no text. */
  hint?: string;
}

export function Button({ children, icon, kind = "plain", hint, isDisabled, ...rest }: ButtonProps) {
  const blocked = isDisabled && hint;
  const button = (
    <AriaButton
      {...rest}
      {...(!children && hint ? { "aria-label": rest["aria-label"] ?? hint } : {})}
      isDisabled={isDisabled && !hint ? true : undefined}
      {...(blocked ? { onPress: undefined, type: "button", "aria-disabled": true } : {})}
      className={[styles.button, styles[kind], children ? "" : styles.bare].join(" ")}
    >
      {icon && <Icon name={icon} />}
      {children}
    </AriaButton>
  );
  return hint ? <Tip text={hint}>{button}</Tip> : button;
}
