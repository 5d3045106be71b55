// Prints the gzip size of what the first page loads, from Vite's manifest, and fails above the budget.
import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";

const BUDGET_BYTES = 350 * 1024;
const dist = path.resolve(import.meta.dirname, "../dist");
const manifest = JSON.parse(fs.readFileSync(path.join(dist, ".vite/manifest.json"), "utf8"));
/** The first page after the entry: its chunk is loaded at once. */
const FIRST_PAGE = "src/routes/overview/OverviewPage.tsx";

const files = new Set(["index.html", "theme.js"]);
gather("index.html", files);
if (manifest[FIRST_PAGE]) gather(FIRST_PAGE, files);
const total = print("first page", files);
for (const [key, chunk] of Object.entries(manifest)) {
  if (!chunk.isDynamicEntry || key === FIRST_PAGE) continue;
  const more = new Set();
  gather(key, more);
  for (const file of files) more.delete(file);
  print(key, more);
}
if (total > BUDGET_BYTES) {
  console.error(`size: the first page has ${total} bytes, the budget is ${BUDGET_BYTES}`);
  process.exit(1);
}

function gather(key, into) {
  const chunk = manifest[key];
  if (!chunk || into.has(chunk.file)) return;
  into.add(chunk.file);
  for (const file of [...(chunk.css ?? []), ...(chunk.assets ?? [])]) into.add(file);
  for (const imported of chunk.imports ?? []) gather(imported, into);
}

function print(name, set) {
  let sum = 0;
  const rows = [...set].map((file) => {
    const data = fs.readFileSync(path.join(dist, file));
    const size = file.endsWith(".woff2") ? data.length : gzipSync(data, { level: 9 }).length;
    sum += size;
    return [file, size];
  });
  console.log(`${kib(sum)}  ${name}`);
  for (const [file, size] of rows.sort((a, b) => b[1] - a[1])) console.log(`  ${kib(size)}  ${file}`);
  return sum;
}

function kib(bytes) {
  return `${(bytes / 1024).toFixed(1).padStart(7)} KiB`;
}
