// Writes the browser's pictures smaller: the same pixels, better filters and the slowest compression.
import { deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = 8;

/** The same picture in fewer bytes; 8-bit RGB and RGBA without interlacing, as Chromium writes them. */
export function smaller(png: Buffer): Buffer {
  const chunks = chunksOf(png);
  const head = chunks.find((chunk) => chunk.type === "IHDR")?.data;
  if (!head || head[8] !== 8 || (head[9] !== 2 && head[9] !== 6) || head[12] !== 0) return png;
  const width = head.readUInt32BE(0);
  const samples = head[9] === 2 ? 3 : 4;
  const rows = unfiltered(inflateSync(Buffer.concat(chunks.filter((chunk) => chunk.type === "IDAT").map((chunk) => chunk.data))), width * samples, samples);
  // A picture without transparency needs no fourth sample.
  const opaque = samples === 4 && rows.every((row) => row.every((byte, i) => i % 4 !== 3 || byte === 255));
  const plain = opaque ? rows.map((row) => Buffer.from(row.filter((_, i) => i % 4 !== 3))) : rows;
  const newHead = Buffer.from(head);
  if (opaque) newHead[9] = 2;
  const size = opaque ? 3 : samples;
  const tries = [0, 1, 2, 4, undefined].map((kind) => deflateSync(filtered(plain, size, kind), { level: 9, memLevel: 9 }));
  const best = tries.reduce((a, b) => (b.length < a.length ? b : a));
  const written = Buffer.concat([png.subarray(0, SIGNATURE), chunk("IHDR", newHead), chunk("IDAT", best), chunk("IEND", Buffer.alloc(0))]);
  return written.length < png.length ? written : png;
}

function chunksOf(png: Buffer): { type: string; data: Buffer }[] {
  const found = [];
  for (let at = SIGNATURE; at < png.length; ) {
    const length = png.readUInt32BE(at);
    found.push({ type: png.toString("latin1", at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  return found;
}

function unfiltered(raw: Buffer, bytes: number, size: number): Buffer[] {
  const rows: Buffer[] = [];
  let above = Buffer.alloc(bytes);
  for (let at = 0; at < raw.length; at += bytes + 1) {
    const kind = raw[at] ?? 0;
    const row = Buffer.from(raw.subarray(at + 1, at + 1 + bytes));
    for (let i = 0; i < bytes; i += 1) row[i] = ((row[i] ?? 0) + predicted(kind, row, above, i, size)) & 255;
    rows.push(row);
    above = row;
  }
  return rows;
}

/** All rows with one filter, or each with the one whose differences sum up to least. */
function filtered(rows: readonly Buffer[], size: number, kind: number | undefined): Buffer {
  let above: Buffer = Buffer.alloc(rows[0]?.length ?? 0);
  return Buffer.concat(
    rows.map((row) => {
      const tries = (kind === undefined ? [0, 1, 2, 3, 4] : [kind]).map((one) => {
        const line = Buffer.alloc(row.length + 1);
        line[0] = one;
        let sum = 0;
        for (let i = 0; i < row.length; i += 1) {
          const byte = ((row[i] ?? 0) - predicted(one, row, above, i, size)) & 255;
          line[i + 1] = byte;
          sum += byte < 128 ? byte : 256 - byte;
        }
        return { line, sum };
      });
      above = row;
      return tries.reduce((a, b) => (b.sum < a.sum ? b : a)).line;
    }),
  );
}

/** What a filter of the PNG specification (section 9) predicts from the bytes left, above and above left. */
function predicted(kind: number, row: Buffer, above: Buffer, i: number, size: number): number {
  const left = i >= size ? (row[i - size] ?? 0) : 0;
  const up = above[i] ?? 0;
  if (kind === 0) return 0;
  if (kind === 1) return left;
  if (kind === 2) return up;
  if (kind === 3) return (left + up) >> 1;
  const corner = i >= size ? (above[i - size] ?? 0) : 0;
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc(body), body.length + 4);
  return framed;
}

function crc(bytes: Buffer): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return (value ^ 0xffffffff) >>> 0;
}
