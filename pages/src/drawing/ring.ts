import { html, svg, type TemplateResult } from "lit";
import { percent } from "../show";

const RADIUS = 24;
const ROUND = 2 * Math.PI * RADIUS;

/** A ring filled by a share; when met, green with a tick. Hidden from screen readers, because the share is written beside it. */
export function ring(share: number, met: boolean): TemplateResult {
  const filled = met ? ROUND : Math.max(share * ROUND, share > 0 ? 1 : 0);
  return html`<svg class="ring" viewBox="0 0 60 60" width="60" height="60" aria-hidden="true">
    <circle cx="30" cy="30" r=${RADIUS} fill="none" stroke="var(--track)" stroke-width="7"></circle>
    ${filled > 0
      ? svg`<circle cx="30" cy="30" r=${RADIUS} fill="none" stroke=${met ? "var(--good)" : "var(--accent)"}
          stroke-width="7" stroke-dasharray="${filled} ${ROUND}" transform="rotate(-90 30 30)"></circle>`
      : null}
    ${met
      ? svg`<path d="M21 31l6 6 12-13" fill="none" stroke="var(--good)" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"></path>`
      : svg`<text class="share" x="30" y="35" text-anchor="middle">${percent(share)}</text>`}
  </svg>`;
}
