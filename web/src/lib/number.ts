// Numbers as text: exact counts, short counts, bytes, rates and shares.

const exact = new Intl.NumberFormat("en-US");
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** An exact count with thousands separated. */
export function count(n: number): string {
  return exact.format(n);
}

/** A count of at most four characters and a unit, such as `12.3k`, for axes and badges. */
export function short(n: number): string {
  const size = Math.abs(n);
  if (size < 1_000) return String(Math.round(n * 10) / 10);
  if (size < 1_000_000) return `${trim(n / 1_000)}k`;
  if (size < 1_000_000_000) return `${trim(n / 1_000_000)}M`;
  return `${trim(n / 1_000_000_000)}G`;
}

/** Bytes in binary units. */
export function bytes(n: number): string {
  let value = n;
  let unit = 0;
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** A rate per second. */
export function rate(perSecond: number): string {
  return perSecond >= 10 ? `${count(Math.round(perSecond))}/s` : `${perSecond.toFixed(1)}/s`;
}

/** A share of one as per cent, with more digits where it is small or close to one. */
export function percent(share: number): string {
  const near = Math.min(share, 1 - share);
  const digits = share === 0 || share === 1 ? 0 : near < 0.001 ? 3 : near < 0.01 ? 2 : near < 0.1 ? 1 : 0;
  return `${(share * 100).toFixed(digits)} %`;
}

/** A signed number with two decimals and a true minus sign. */
export function signed(n: number): string {
  const text = Math.abs(n).toFixed(2);
  return n < 0 ? `−${text}` : `+${text}`;
}

function trim(n: number): string {
  return Math.abs(n) >= 100 ? n.toFixed(0) : n.toFixed(1).replace(/\.0$/, "");
}
