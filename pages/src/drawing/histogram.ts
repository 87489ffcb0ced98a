import { html, svg, type TemplateResult } from "lit";
import type { Report } from "../api/client";
import { amount } from "../show";

type Distribution = Report["distributions"][number];

const WIDTH = 560;
const HEIGHT = 170;
const TOP = 34;

/** How agencies are spread over a metric; each threshold of channel 1 and 2 stands where it cuts the bins. */
export function histogram(seen: Distribution, said: string): TemplateResult {
  const wide = WIDTH / Math.max(seen.bins.length, 1);
  const most = Math.max(...seen.bins.map((bin) => bin.agencies), 1);
  const every = Math.ceil(seen.bins.length / 8);
  return html`<svg viewBox="0 0 ${WIDTH} ${TOP + HEIGHT + 24}" width="100%" role="img" aria-label=${said}>
    ${seen.bins.map((bin, at) => {
      const height = (HEIGHT * bin.agencies) / most;
      return svg`<rect x=${at * wide + 1.5} width=${Math.max(wide - 3, 1)} y=${TOP + HEIGHT - height} height=${height} rx="3"
          fill="var(--accent)" fill-opacity="0.75"></rect>
        ${at % every === 0 ? svg`<text x=${at * wide} y=${TOP + HEIGHT + 17}>${amount(bin.at_least)}</text>` : null}`;
    })}
    <line x1="0" x2=${WIDTH} y1=${TOP + HEIGHT} y2=${TOP + HEIGHT} stroke="var(--line)"></line>
    ${seen.thresholds.map((threshold, index) =>
      threshold.position === null
        ? null
        : svg`<line x1=${threshold.position * wide} x2=${threshold.position * wide} y1=${TOP - 6} y2=${TOP + HEIGHT}
              stroke="var(--bad)" stroke-dasharray="4 3"></line>
            <text x=${threshold.position * wide} y=${index % 2 ? 12 : 25} text-anchor="middle">${threshold.level}·${threshold.channel}</text>`,
    )}
  </svg>`;
}
