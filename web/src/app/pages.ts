// The pages one can go to from anywhere: rail, palette and `g` keys share the first list, palette and account menu the second.
import type { IconName } from "@/components/Icon";

export const pages = [
  { to: "/", icon: "overview", name: "page.overview", key: "o" },
  { to: "/incidents", icon: "incidents", name: "page.incidents", key: "i" },
  { to: "/search", icon: "search", name: "page.search", key: "s" },
  { to: "/detections", icon: "detections", name: "page.detections", key: "d" },
  { to: "/entities", icon: "entities", name: "page.entities", key: "e" },
] as const satisfies readonly { to: string; icon: IconName; name: string; key: string }[];

/** Pages that are needed now and then. */
export const rarePages = [
  { to: "/notifications", icon: "note", name: "page.notifications" },
  { to: "/reparse", icon: "refresh", name: "page.reparse" },
  { to: "/account", icon: "account", name: "account.tokens" },
] as const satisfies readonly { to: string; icon: IconName; name: string }[];
