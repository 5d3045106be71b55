// What a pasted text holds: indicators of which kinds, and what the server will refuse, and why.

export type IndicatorKind = "ipv4" | "ipv6" | "network" | "domain" | "url" | "email" | "md5" | "sha1" | "sha256" | "sha512";
/** As the server calls them. */
export type RefusalReason = "unrecognised" | "private_or_reserved" | "too_wide" | "hash_length" | "empty_file_hash" | "cut_off" | "too_long";

export interface Entry {
  /** The line's number, from 1. */
  line: number;
  text: string;
  kind?: IndicatorKind;
  refused?: RefusalReason;
}

const URL_CHARS_MAX = 8_192;
const MARKS: [RegExp, string][] = [
  [/[[(]:\/\/[\])]/g, "://"],
  [/\[dot\]|\(dot\)|\{dot\}|\[\.\]|\(\.\)|\{\.\}|\\\./gi, "."],
  [/\[at\]|\(at\)|\{at\}|\[@\]|\(@\)/gi, "@"],
  [/\[:\]/g, ":"],
  [/\[\/\]/g, "/"],
];
const HASH_KIND: Record<number, IndicatorKind> = { 32: "md5", 40: "sha1", 64: "sha256", 128: "sha512" };
const EMPTY_HASHES = new Set([
  "d41d8cd98f00b204e9800998ecf8427e",
  "da39a3ee5e6b4b0d3255bfef95601890afd80709",
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
]);
const RESERVED_V4: [number, number][] = [
  [0x00000000, 8],
  [0x0a000000, 8],
  [0x64400000, 10],
  [0x7f000000, 8],
  [0xa9fe0000, 16],
  [0xac100000, 12],
  [0xc0000000, 24],
  [0xc0a80000, 16],
  [0xe0000000, 4],
  [0xf0000000, 4],
];
const RESERVED_V6 = /^(?:::$|::1$|f[cd]|fe[89a-f]|ff)/i;
const V4_PREFIX_MIN = 8;
const V6_PREFIX_MIN = 16;
const NAME = /^(?:[\p{L}\p{N}_](?:[\p{L}\p{N}_-]{0,61}[\p{L}\p{N}_])?\.)+\p{L}[\p{L}\p{N}-]{1,62}\.?$/u;

/** Undoes defanging such as `hxxp` and `[.]`. */
export function refang(text: string): string {
  const plain = MARKS.reduce((out, [mark, stands]) => out.replace(mark, stands), text);
  return plain.replace(/^hxx/i, "htt");
}

/** The entries of a plain list; notes behind `#` and empty lines are none. */
export function entries(text: string, wide = false): Entry[] {
  return text.split(/\r?\n/).flatMap((line, i) => {
    const bare = line.replace(/(?:^|\s)(?:#|;|\/\/).*$/, "").trim();
    const parts = bare.split(/[\s,]+/).map((part) => part.replace(/^["'`<]+|["'`>]+$/g, "")).filter(Boolean);
    return parts.map((part) => ({ line: i + 1, text: part, ...recognised(part, wide) }));
  });
}

/** Whether a text is CSV with a heading, STIX or MISP, which only the server reads. */
export function isDocument(text: string): boolean {
  const head = text.trimStart();
  if (/^[{[]\s*["{]/.test(head)) return true;
  const [first = ""] = head.split("\n");
  return first.split(/[,;\t]/).length > 1 && /(?:^|[,;\t])\s*"?(?:ioc|indicator|value|type|ip|domain|hash|sha256|md5|url)"?\s*(?:[,;\t]|$)/i.test(first);
}

function recognised(written: string, wide: boolean): Pick<Entry, "kind" | "refused"> {
  const text = refang(written);
  if (text.endsWith("…") || text.endsWith("...")) return { refused: "cut_off" };
  if (text.length > URL_CHARS_MAX) return { refused: "too_long" };
  const address = network(text, wide);
  if (address) return address;
  if (text.includes("://")) return /^[a-z][a-z0-9+.-]*:\/\/[^/\s]+/i.test(text) ? { kind: "url" } : { refused: "unrecognised" };
  if (/^[^@\s/]+@[^@\s/]+$/.test(text)) return NAME.test(text.split("@")[1] ?? "") ? { kind: "email" } : { refused: "unrecognised" };
  if (/^[0-9a-f]{8,}$/i.test(text)) return hash(text.toLowerCase(), wide);
  if (/^[^/]+\/.+/.test(text)) return NAME.test(text.split(/[/:]/)[0] ?? "") ? { kind: "url" } : { refused: "unrecognised" };
  const name = text.replace(/\/$/, "").replace(/:\d+$/, "").replace(/^\*?\./, "");
  return NAME.test(name) ? { kind: "domain" } : { refused: "unrecognised" };
}

function hash(text: string, wide: boolean): Pick<Entry, "kind" | "refused"> {
  const kind = HASH_KIND[text.length];
  if (!kind) return { refused: text.length >= 16 ? "hash_length" : "unrecognised" };
  return !wide && (EMPTY_HASHES.has(text) || /^0+$/.test(text)) ? { refused: "empty_file_hash" } : { kind };
}

function network(text: string, wide: boolean): Pick<Entry, "kind" | "refused"> | null {
  const [head = "", mask] = text.split("/");
  const v4 = v4Number(head.replace(/:\d+$/, ""));
  const isV6 = /^\[?[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*\]?(?::\d+)?$/i.test(head);
  if (v4 === null && !isV6) return null;
  if (mask !== undefined && !/^\d{1,3}$/.test(mask)) return null;
  const length = mask === undefined ? (isV6 ? 128 : 32) : Number(mask);
  if (length > (isV6 ? 128 : 32)) return { refused: "unrecognised" };
  const one = length === (isV6 ? 128 : 32);
  if (!wide && length < (isV6 ? V6_PREFIX_MIN : V4_PREFIX_MIN)) return { refused: "too_wide" };
  const reserved = v4 !== null ? RESERVED_V4.some(([net, bits]) => overlaps(v4, length, net, bits)) : RESERVED_V6.test(head.replace(/^\[/, ""));
  if (reserved && !wide) return { refused: "private_or_reserved" };
  return { kind: one ? (isV6 ? "ipv6" : "ipv4") : "network" };
}

function overlaps(a: number, aBits: number, b: number, bBits: number): boolean {
  const size = 2 ** (32 - Math.min(aBits, bBits));
  return Math.floor(a / size) === Math.floor(b / size);
}

function v4Number(text: string): number | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return null;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}
