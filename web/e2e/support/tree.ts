// The accessibility tree as Chromium gives it to screen readers, and what is wrong with it.
import type { Page } from "@playwright/test";

interface Value {
  value?: unknown;
}

interface AxNode {
  nodeId: string;
  parentId?: string;
  ignored: boolean;
  role?: Value;
  name?: Value;
  properties?: { name: string; value: Value }[];
  childIds?: string[];
}

export interface Spoken {
  role: string;
  name: string;
  level: number | undefined;
}

const LANDMARKS = ["banner", "navigation", "main", "complementary", "contentinfo", "region", "search", "form"];
/** What must have a name to make sense; of banner and main there is one. */
const NAMED = [...LANDMARKS.filter((role) => role !== "banner" && role !== "main"), "table", "grid", "columnheader", "rowheader", "figure", "image", "img", "dialog", "button", "link", "textbox", "checkbox", "slider", "tab", "tabpanel", "tablist", "progressbar", "group"];

/** What a screen reader finds, in the order of reading. */
export async function spoken(page: Page): Promise<Spoken[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = (await session.send("Accessibility.getFullAXTree")) as { nodes: AxNode[] };
  await session.detach();
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  const root = nodes.find((node) => node.parentId === undefined);
  const found: Spoken[] = [];
  const visit = (node: AxNode | undefined) => {
    if (!node) return;
    if (!node.ignored) {
      const level = node.properties?.find((one) => one.name === "level")?.value.value;
      found.push({ role: String(node.role?.value ?? ""), name: String(node.name?.value ?? "").trim(), level: typeof level === "number" ? level : undefined });
    }
    for (const id of node.childIds ?? []) visit(byId.get(id));
  };
  visit(root);
  return found;
}

/** Headings out of order, parts without names or of the same name, columns without a head. */
export function faultsOf(nodes: readonly Spoken[]): string[] {
  const faults: string[] = [];
  const headings = nodes.filter((node) => node.role === "heading");
  if (headings.filter((node) => node.level === 1).length !== 1) faults.push(`${headings.filter((node) => node.level === 1).length} headings of the first level`);
  let before = 0;
  for (const { level = 0, name } of headings) {
    if (level > before + 1) faults.push(`heading "${name}" of level ${level} after level ${before}`);
    if (name === "") faults.push(`a heading of level ${level} says nothing`);
    before = level;
  }
  for (const { role, name } of nodes) if (NAMED.includes(role) && name === "") faults.push(`a ${role} has no name`);
  const landmarks = nodes.filter((node) => LANDMARKS.includes(node.role)).map(({ role, name }) => `${role} "${name}"`);
  for (const landmark of new Set(landmarks)) if (landmarks.filter((one) => one === landmark).length > 1) faults.push(`more than one ${landmark}`);
  return faults;
}
