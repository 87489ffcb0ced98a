import { html, svg, type TemplateResult } from "lit";

const WIDTH = 100;
const HEIGHT = 56;
const GAP = 3;

/** One step for each level. Reached levels are filled; the agency's level is marked. */
export function stairs(count: number, held: number | null, said: string): TemplateResult {
  const steps = Array.from({ length: count }, (_, at) => {
    const height = 12 + ((HEIGHT - 12) * at) / Math.max(count - 1, 1);
    const fill = held === null || at + 1 > held ? "var(--track)" : "var(--accent)";
    return svg`<rect x=${at * WIDTH + GAP} y=${HEIGHT - height} width=${WIDTH - 2 * GAP} height=${height} rx="5"
      fill=${fill} fill-opacity=${held !== null && at + 1 < held ? 0.45 : 1}></rect>`;
  });
  return html`<svg class="stairs" viewBox="0 0 ${count * WIDTH} ${HEIGHT}" width="100%" height=${HEIGHT}
    preserveAspectRatio="none" role="img" aria-label=${said}>${steps}</svg>`;
}
