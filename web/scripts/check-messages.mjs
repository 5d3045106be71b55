// Fails where a message lacks a language or a placeholder, or where TSX holds text of its own.
import fs from "node:fs";
import path from "node:path";
import ts from "typescript";

const root = path.resolve(import.meta.dirname, "../src");
const faults = [];
const TEXT_ATTRIBUTES = new Set(["aria-label", "title", "placeholder", "label", "alt", "header", "aria-description"]);
const PLURAL = /_(zero|one|two|few|many|other)$/;

for (const folder of ["i18n", ...fs.readdirSync(path.join(root, "routes")).map((name) => `routes/${name}`)]) {
  const [en, ja] = ["en", "ja"].map((language) => path.join(root, folder, `${language}.json`));
  if (!fs.existsSync(en) && !fs.existsSync(ja)) continue;
  compare(folder, messages(en), messages(ja));
}
for (const file of filesOf(root, ".tsx")) checkSource(file);

if (faults.length > 0) {
  for (const fault of faults.sort()) console.error(fault);
  console.error(`check-messages: ${faults.length} fault(s)`);
  process.exit(1);
}
console.log("check-messages: every message in both languages, no text outside the catalogue");

function messages(file) {
  const flat = new Map();
  const walk = (value, at) => {
    if (typeof value === "string") flat.set(at, value);
    else for (const [key, inner] of Object.entries(value)) walk(inner, at ? `${at}.${key}` : key);
  };
  walk(JSON.parse(fs.readFileSync(file, "utf8")), "");
  return flat;
}

function compare(folder, en, ja) {
  for (const [name, other, from, to] of [["ja", "en", en, ja], ["en", "ja", ja, en]]) {
    const stems = new Set([...to.keys()].map((key) => key.replace(PLURAL, "")));
    for (const [key, text] of from) {
      if (!stems.has(key.replace(PLURAL, ""))) faults.push(`${folder}/${name}.json: no "${key}", which ${other}.json has`);
      if (text.trim() === "") faults.push(`${folder}/${other}.json: "${key}" is empty`);
      const twin = to.get(key);
      if (twin !== undefined && placeholders(text) !== placeholders(twin)) {
        faults.push(`${folder}: "${key}" has other placeholders in ${name} than in ${other}`);
      }
    }
  }
}

function placeholders(text) {
  return [...new Set(text.match(/\{\{\s*[\w.]+/g) ?? [])].sort().join();
}

function checkSource(file) {
  const source = ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const report = (node, text) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    faults.push(`${path.relative(root, file)}:${line}: text outside the catalogue: ${JSON.stringify(text.trim())}`);
  };
  const visit = (node) => {
    if (ts.isJsxText(node) && isWords(node.text) && !isKey(node.parent)) report(node, node.text);
    if (ts.isJsxExpression(node) && !ts.isJsxAttribute(node.parent)) literals(node.expression, report);
    if (ts.isJsxAttribute(node) && TEXT_ATTRIBUTES.has(node.name.getText())) {
      literals(node.initializer && ts.isJsxExpression(node.initializer) ? node.initializer.expression : node.initializer, report);
    }
    if (ts.isJsxAttribute(node) && node.name.getText() === "dangerouslySetInnerHTML") report(node, "dangerouslySetInnerHTML");
    ts.forEachChild(node, visit);
  };
  visit(source);
}

/** Names of keys are those printed on keyboards. */
function isKey(node) {
  return ts.isJsxElement(node) && node.openingElement.tagName.getText() === "Kbd";
}

/** Reports the string literals an expression can come out as. */
function literals(node, report) {
  if (!node) return;
  if (ts.isStringLiteralLike(node)) {
    if (isWords(node.text)) report(node, node.text);
  } else if (ts.isTemplateExpression(node)) {
    for (const part of [node.head, ...node.templateSpans.map((span) => span.literal)]) {
      if (isWords(part.text)) report(node, part.text);
    }
  } else if (ts.isConditionalExpression(node)) {
    literals(node.whenTrue, report);
    literals(node.whenFalse, report);
  } else if (ts.isBinaryExpression(node)) {
    literals(node.right, report);
    if (node.operatorToken.kind !== ts.SyntaxKind.AmpersandAmpersandToken) literals(node.left, report);
  } else if (ts.isParenthesizedExpression(node)) {
    literals(node.expression, report);
  }
}

function isWords(text) {
  return /\p{L}{2,}/u.test(text);
}

function* filesOf(folder, extension) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesOf(at, extension);
    else if (entry.name.endsWith(extension)) yield at;
  }
}
