import { html, svg, type TemplateResult } from "lit";
import type { Report } from "../api/client";
import { amount } from "../show";

type Distribution = Report["distributions"][number];

const WIDTH = 560;
const HEIGHT = 170;
const ROW = 13;
const LABEL = 32;

/** How agencies are spread over a metric. Each threshold is a line at its value; its label is where there is room. */
export function histogram(seen: Distribution, said: string): TemplateResult {
  const wide = WIDTH / Math.max(seen.bins.length, 1);
  const most = Math.max(...seen.bins.map((bin) => bin.agencies), 1);
  const every = Math.ceil(seen.bins.length / 8);
  const cuts = placed(seen, wide);
  const top = 8 + ROW * Math.max(...cuts.map((cut) => cut.row + 1), 1);
  return html`<svg viewBox="0 0 ${WIDTH} ${top + HEIGHT + 24}" width="100%" role="img" aria-label=${said}>
    ${seen.bins.map((bin, at) => {
      const height = (HEIGHT * bin.agencies) / most;
      return svg`<rect x=${at * wide + 1.5} width=${Math.max(wide - 3, 1)} y=${top + HEIGHT - height} height=${height} rx="3"
          fill="var(--accent)" fill-opacity="0.75"></rect>
        ${at % every === 0 ? svg`<text x=${at * wide} y=${top + HEIGHT + 17}>${amount(bin.at_least)}</text>` : null}`;
    })}
    <line x1="0" x2=${WIDTH} y1=${top + HEIGHT} y2=${top + HEIGHT} stroke="var(--line)"></line>
    ${cuts.map(
      ({ x, row, name }) => svg`<line x1=${x} x2=${x} y1=${ROW * (row + 1)} y2=${top + HEIGHT} stroke="var(--bad)" stroke-dasharray="4 3"></line>
        <text x=${x} y=${ROW * (row + 1) - 2} text-anchor="middle">${name}</text>`,
    )}
  </svg>`;
}

interface Cut {
  readonly x: number;
  readonly row: number;
  readonly name: string;
}

/** The positions of thresholds, from left to right. Equal ones share a label; close ones have labels in different rows. */
function placed(seen: Distribution, wide: number): Cut[] {
  const spots = new Map<number, string>();
  const found = seen.thresholds.flatMap(({ position, level, channel }) => (position === null ? [] : [{ x: position * wide, name: `${level}·${channel}` }]));
  for (const { x, name } of found.sort((a, b) => a.x - b.x)) spots.set(x, spots.has(x) ? `${spots.get(x)} ${name}` : name);
  const ends: number[] = [];
  return [...spots].map(([x, name]) => {
    const half = (LABEL * name.split(" ").length) / 2;
    const free = ends.findIndex((end) => end <= x - half);
    const row = free < 0 ? ends.length : free;
    ends[row] = x + half;
    return { x, row, name };
  });
}
