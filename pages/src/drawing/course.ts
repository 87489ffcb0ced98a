import { html, svg, type TemplateResult } from "lit";

export interface Stop {
  readonly month: string;
  readonly level: number | null;
}

const WIDTH = 360;
const LEFT = 24;
const STEP = 26;

/** The levels of months as a line, oldest first; a month without a level is below the lowest. */
export function course(stops: readonly Stop[], levels: number, names: { said: string; none: string }): TemplateResult {
  const height = (levels + 1) * STEP + 30;
  const y = (level: number | null) => 14 + (levels - (level ?? 0)) * STEP;
  const wide = WIDTH - LEFT - 54;
  const x = (at: number) => LEFT + 27 + (stops.length > 1 ? (wide * at) / (stops.length - 1) : wide / 2);
  const every = Math.ceil(stops.length / 6);
  return html`<svg class="course" viewBox="0 0 ${WIDTH} ${height}" width=${WIDTH} role="img" aria-label=${names.said}>
    ${Array.from(
      { length: levels + 1 },
      (_, level) => svg`<line x1=${LEFT} x2=${WIDTH} y1=${y(level)} y2=${y(level)} stroke="var(--line)"
          stroke-dasharray=${level ? "none" : "4 4"}></line>
        <text x=${LEFT - 8} y=${y(level) + 4} text-anchor="end">${level || names.none}</text>`,
    )}
    <polyline fill="none" stroke="var(--accent)" stroke-width="2.5" stroke-linejoin="round"
      points=${stops.map((stop, at) => `${x(at)},${y(stop.level)}`).join(" ")}></polyline>
    ${stops.map(
      (stop, at) => svg`<circle cx=${x(at)} cy=${y(stop.level)} r="5.5" stroke="var(--surface)" stroke-width="2"
          fill=${stop.level === null ? "var(--quiet)" : "var(--accent)"}></circle>
        ${(stops.length - 1 - at) % every === 0
          ? svg`<text x=${x(at)} y=${height - 4} text-anchor="middle">${stop.month}</text>`
          : null}`,
    )}
  </svg>`;
}
