// The graph of relations: nodes are buttons in columns, edges are curves behind them.
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { VerdictMark } from "@/components";
import { useWord } from "@/i18n/words";
import { oneLine } from "@/lib/raw";
import { useWidth } from "../timeline/useWidth";
import type { Edge, Node, Relations } from "./graph";
import styles from "./RelationsGraph.module.css";

const NODE_PX = 34;
const ROW_PX = 44;
const HEAD_PX = 24;
const GAP_PX_MIN = 34;
const NODE_WIDTH_MAX = 190;
/** More edges than this are drawn faint until one of their ends is chosen. */
const DENSE_EDGES = 40;

export function RelationsGraph({ relations, who, onWho }: { relations: Relations; who: string | undefined; onWho: (key: string) => void }) {
  const { t } = useTranslation();
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const [pointed, setPointed] = useState<string>();
  const { nodes, edges, columns, rows } = relations;
  const nodeWidth = Math.min(NODE_WIDTH_MAX, (width - GAP_PX_MIN * (columns.length - 1)) / columns.length);
  const pitch = columns.length > 1 ? Math.min((width - nodeWidth) / (columns.length - 1), NODE_WIDTH_MAX + 140) : 0;
  const box = (node: Node) => ({ left: node.column * pitch, top: HEAD_PX + node.row * ROW_PX });
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const focus = pointed ?? who;
  const near = new Set(edges.filter((edge) => edge.a === focus || edge.b === focus).flatMap((edge) => [edge.a, edge.b]));
  const height = HEAD_PX + rows * ROW_PX;
  return (
    <div ref={frame} className={styles.frame} style={{ height }} data-pointed={pointed !== undefined || undefined} data-dense={edges.length > DENSE_EDGES || undefined}>
      {columns.map((name, i) => (
        <span key={name} className={styles.column} aria-hidden="true" style={{ left: i * pitch, width: nodeWidth }}>
          {t(`incidents.column_${name}`)}
        </span>
      ))}
      {width > 0 && (
        <svg className={styles.edges} width={width} height={height} aria-hidden="true">
          {edges.map((edge) => {
            const [a, b] = [byKey.get(edge.a), byKey.get(edge.b)];
            if (!a || !b) return null;
            return (
              <path
                key={`${edge.a}\n${edge.b}`}
                className={styles.edge}
                data-near={edge.a === focus || edge.b === focus || undefined}
                strokeWidth={Math.min(4, 1 + Math.log2(1 + edge.findings.length) * 0.6)}
                strokeDasharray={edge.findings.length === 0 ? "3 3" : undefined}
                d={curve(a, b, box, nodeWidth)}
              />
            );
          })}
        </svg>
      )}
      <ul aria-label={t("incidents.relations")}>
        {nodes.map((node) => (
          <li key={node.key} className={styles.place} style={{ ...box(node), width: nodeWidth, height: NODE_PX }}>
            <NodeBox
              node={node}
              near={near.has(node.key)}
              chosen={node.key === who}
              others={neighbours(node, edges, byKey)}
              onWho={onWho}
              onPoint={setPointed}
            />
          </li>
        ))}
      </ul>
    </div>
  );
}

function NodeBox({ node, near, chosen, others, onWho, onPoint }: {
  node: Node;
  near: boolean;
  chosen: boolean;
  others: readonly Node[];
  onWho: (key: string) => void;
  onPoint: (key: string | undefined) => void;
}) {
  const { t } = useTranslation();
  const word = useWord();
  const point = {
    onMouseEnter: () => onPoint(node.key),
    onMouseLeave: () => onPoint(undefined),
  };
  if (node.more > 0) {
    return (
      <span className={styles.more} data-near={near || undefined} {...point}>
        {t(`incidents.more_${node.entity.type}`, { count: node.more })}
      </span>
    );
  }
  const about = node.role ? word("role", node.role) : word("entity_kind", node.entity.type);
  const names = others.map((one) => (one.more > 0 ? t(`incidents.more_${one.entity.type}`, { count: one.more }) : oneLine(one.entity.value)));
  return (
    <button
      type="button"
      className={styles.node}
      aria-pressed={chosen}
      data-near={near || undefined}
      data-principal={node.role !== null || undefined}
      title={`${oneLine(node.entity.value)}\n${about}`}
      onClick={() => onWho(node.key)}
      onFocus={() => onPoint(node.key)}
      onBlur={() => onPoint(undefined)}
      {...point}
    >
      {node.verdict && <VerdictMark value={node.verdict} bare />}
      <span className={styles.text}>
        <bdi>{oneLine(node.entity.value)}</bdi>
        <span className={styles.about}>{about}</span>
      </span>
      {names.length > 0 && <span className="visually-hidden">{t("incidents.related_to", { names: names.join(", ") })}</span>}
    </button>
  );
}

function neighbours(node: Node, edges: readonly Edge[], byKey: ReadonlyMap<string, Node>): Node[] {
  const keys = edges.flatMap((edge) => (edge.a === node.key ? [edge.b] : edge.b === node.key ? [edge.a] : []));
  return keys.flatMap((key) => byKey.get(key) ?? []);
}

/** From the right side of one to the left side of the other; within a column in a bow at the right. */
function curve(a: Node, b: Node, box: (node: Node) => { left: number; top: number }, width: number): string {
  const [from, to] = a.column <= b.column ? [a, b] : [b, a];
  const [p, q] = [box(from), box(to)];
  const [y1, y2] = [p.top + NODE_PX / 2, q.top + NODE_PX / 2];
  if (from.column === to.column) {
    const x = p.left + width;
    const bow = Math.min(GAP_PX_MIN - 6, 16 + Math.abs(y2 - y1) / 10);
    return `M${x} ${y1} C${x + bow} ${y1} ${x + bow} ${y2} ${x} ${y2}`;
  }
  const [x1, x2] = [p.left + width, q.left];
  const bend = Math.max(20, (x2 - x1) * 0.45);
  return `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
