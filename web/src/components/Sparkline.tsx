// A small line of counts over time, without axes; the numbers are said beside it or in the label.
import styles from "./Sparkline.module.css";

export function Sparkline({ values, label, width = 96, height = 20 }: {
  values: readonly number[];
  label: string;
  width?: number;
  height?: number;
}) {
  const top = Math.max(1, ...values);
  const step = values.length > 1 ? (width - 2) / (values.length - 1) : 0;
  const points = values.map((value, i) => `${(1 + i * step).toFixed(1)},${(height - 1 - (value / top) * (height - 2)).toFixed(1)}`);
  return (
    <svg className={styles.spark} width={width} height={height} role="img" aria-label={label}>
      <polyline points={points.join(" ")} />
    </svg>
  );
}
