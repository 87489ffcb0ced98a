import { css, html, nothing, type TemplateResult } from "lit";
import type { Catalogue } from "../api/client";
import { amount } from "../show";
import type { Names } from "./names";

type Entry = Catalogue["benefits"][number];

export const tables = css`
  .matrix th[scope="row"] { position: sticky; left: 0; background: var(--surface); min-width: 7.5em; }
  .matrix th[scope="row"] span { display: block; font-weight: 400; font-size: 0.82rem; color: var(--quiet); }
  .matrix :is(td, thead th + th, thead td + th) { text-align: center; min-width: 5.4em; }
  .matrix .own { background: var(--accent-soft); color: var(--text); }
  .matrix thead .own { border-radius: 8px 8px 0 0; font-weight: 700; }
  @container (max-width: 480px) {
    .matrix th[scope="row"] { min-width: 6.4em; padding-left: 0; }
    .matrix th[scope="row"] span { display: none; }
    .matrix :is(td, thead th + th, thead td + th) { min-width: 4.7em; padding-inline: 4px; }
  }
  .matrix small { display: block; color: var(--accent); font-weight: 600; }
`;

/** Which level has which benefit, and how much of it; the own level's column is marked. */
export function matrix(catalogue: Catalogue, own: number | null, names: Names): TemplateResult {
  const words = names.words;
  return html`<section class="panel">
    <h2 id="benefits">${words.benefits}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="benefits">
      <table class="matrix">
        <thead>
          <tr>
            <td></td>
            ${names.levels.map(
              ({ level, name }) => html`<th scope="col" class=${level === own ? "own" : ""}>
                ${level} ${name}${level === own ? html`<small>▼ ${words.here}</small>` : nothing}
              </th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${catalogue.benefits.map(
            (benefit) => html`<tr>
              <th scope="row">${benefit.name}<span>${benefit.description}</span></th>
              ${names.levels.map(({ level }) => html`<td class=${level === own ? "own" : ""}>${extent(benefit, level, names)}</td>`)}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function extent(benefit: Entry, level: number, names: Names): TemplateResult | string {
  const words = names.words;
  const granted = benefit.levels.find((one) => one.level === level);
  if (!granted) return html`<span class="quiet" role="img" aria-label=${words.hasNot}>–</span>`;
  if (granted.quota !== null) return granted.quota === "unlimited" ? words.unlimited : amount(granted.quota);
  return granted.text ?? html`<span class="good" role="img" aria-label=${words.has}>✓</span>`;
}
