// The console's own line icons, 16 px.
import type { ReactNode } from "react";

const shapes = {
  overview: <path d="M2 3h12M3.5 6.5h9M5 10h6M6.5 13.5h3" />,
  incidents: <path d="M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.2" />,
  search: <path d="M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zm3.6-1.4L14 14" />,
  detections: <path d="M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zm0-3a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 .8v2.4M8 12.8v2.4M.8 8h2.4M12.8 8h2.4" />,
  entities: <path d="M5.5 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1 13.5c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4M11 3.5h4M11.5 7h3.5M13 10.5h2" />,
  account: <path d="M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14c.3-3 2.6-4.5 5.5-4.5s5.2 1.5 5.5 4.5" />,
  globe: <path d="M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4zM1.8 8h12.4M8 1.8c2 1.8 2.8 3.9 2.8 6.2S10 12.4 8 14.2C6 12.4 5.2 10.3 5.2 8S6 3.6 8 1.8z" />,
  sun: <path d="M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9 13 13M13 3l-1.1 1.1M4.1 11.9 3 13" />,
  moon: <path d="M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z" />,
  clock: <path d="M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4zM8 4.5V8l2.5 1.8" />,
  tenant: <path d="M2.5 14V3.5L9 2v12M9 6l4.5 1V14M1 14h14M5 5.5h1.5M5 8.5h1.5M5 11.5h1.5M11 9h.8M11 11.5h.8" />,
  copy: <path d="M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1" />,
  check: <path d="m3 8.5 3.5 3.5L13 4.5" />,
  close: <path d="m3.5 3.5 9 9M12.5 3.5l-9 9" />,
  down: <path d="m4 6 4 4 4-4" />,
  up: <path d="m4 10 4-4 4 4" />,
  right: <path d="m6 4 4 4-4 4" />,
  left: <path d="m10 4-4 4 4 4" />,
  columns: <path d="M2 3h12v10H2zM6 3v10M10 3v10" />,
  filter: <path d="M2 3h12L9.5 8.5V13l-3-1.5v-3z" />,
  plus: <path d="M8 3v10M3 8h10" />,
  minus: <path d="M3 8h10" />,
  more: <path d="M3 8h.1M8 8h.1M13 8h.1" />,
  external: <path d="M9 2.5h4.5V7M13.5 2.5 7.5 8.5M11.5 9.5v4h-9v-9h4" />,
  print: <path d="M4.5 5.5v-4h7v4M4.5 11.5h-3v-6h13v6h-3M4.5 9.5h7v5h-7z" />,
  warning: <path d="M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4zM8 4.8v3.9M8 10.8v.3" />,
  refresh: <path d="M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 1.8v3h-3" />,
  note: <path d="M3 2h10v8.5L9.5 14H3zM9.5 14v-3.5H13M5.5 5.5h5M5.5 8h3" />,
  download: <path d="M8 2v8M4.5 6.8 8 10.2l3.5-3.4M2.5 13.5h11" />,
  history: <path d="M2.6 5.5A6 6 0 1 1 2 8M2 2.5v3.2h3.2M8 5v3.2l2.2 1.4" />,
  save: <path d="M4 2h8v12l-4-3-4 3z" />,
  play: <path d="M4.5 2.5v11l8.5-5.5z" />,
  stop: <path d="M3.5 3.5h9v9h-9z" />,
  help: <path d="M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4zM6.2 6.3c0-1 .8-1.7 1.8-1.7s1.8.7 1.8 1.6c0 1.3-1.8 1.4-1.8 2.6M8 10.9v.3" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof shapes;

/** A decorative icon; what it means is said by the text or label beside it. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.3"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {shapes[name]}
    </svg>
  );
}

/** The product's mark: a watchtower. */
export function Mark() {
  return (
    <svg width="18" height="18" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d="M1.5 5 8 1.5 14.5 5M4 5v3.2h8V5M2.5 14.5 5 8.2M13.5 14.5 11 8.2M3.6 12h8.8M8 5v3.2" />
    </svg>
  );
}
