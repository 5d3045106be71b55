// A watchtower in thin lines, behind the sign-in form.
import styles from "./SignInPage.module.css";

/** Half of the tower; the other half is its mirror image. */
const HALF = [
  "M240 34 C236 62 206 82 150 96 C140 98 132 97 124 92",
  "M240 96 H150 M164 96 V168 M196 96 V168 M240 168 H156",
  "M164 132 H240 M180 132 V168 M212 132 V168 M228 132 V168",
  "M160 168 C154 194 142 212 118 224 C106 229 96 227 88 220",
  "M240 224 H120 M138 224 V316 M182 224 V316",
  "M138 262 H240 M154 262 V316 M166 262 V316 M198 262 V316 M214 262 V316 M230 262 V316",
  "M130 316 H240 M130 316 V326 H240",
  "M146 326 L104 560 M190 326 L172 560 M131 410 H240 M117 486 H240",
  "M139 366 L240 410 M131 410 L240 366 M125 440 L240 486 M117 486 L240 440",
  "M40 560 H240",
];

export function Tower() {
  return (
    <svg className={styles.tower} viewBox="0 0 480 562" aria-hidden="true" focusable="false">
      {HALF.map((d) => (
        <path key={d} d={d} />
      ))}
      <g transform="matrix(-1 0 0 1 480 0)">
        {HALF.map((d) => (
          <path key={d} d={d} />
        ))}
      </g>
    </svg>
  );
}
