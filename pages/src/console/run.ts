/** One run, with what a decision needs: guardrails, level changes, how metrics are spread. */

import { html, nothing, type TemplateResult } from "lit";
import type { MonthToCome, Report } from "../api/client";
import { histogram } from "../drawing/histogram";
import { fill, type Language } from "../language";
import { amount, share } from "../show";
import type { Words } from "./texts";

/** The number of agencies for each change of level, in a run or in what is prepared for a later month. */
export type Moves = Report | MonthToCome;

export function standingName(standing: string, of: Moves, words: Words): string {
  const fixed: Record<string, string> = { unrated: words.unrated, awaiting: words.awaiting, absent: words.absent };
  return fixed[standing] ?? `${standing} ${of.level_names[standing] ?? ""}`.trim();
}

export function guardrails(report: Report, words: Words, language: Language): TemplateResult {
  return html`<section class="panel">
    <h2>${words.guardrails}</h2>
    ${report.guardrails.length
      ? html`<ul class="rails">
          ${report.guardrails.map((rail) => {
            const limit = share(rail.limit);
            const measured = rail.value === null ? fill(words.noValue, { limit }) : fill(words.limit, { value: share(rail.value), limit });
            const said = rail.because ? rail.because[language] : measured;
            return html`<li>
              <p>
                <b>${words.guardrail[rail.name] ?? rail.name}</b> ${said}
                <span class="chip ${rail.exceeded ? "bad" : "good"}">${rail.exceeded ? `▲ ${words.exceeded}` : `✓ ${words.within}`}</span>
              </p>
              ${rail.value === null || rail.because ? nothing : bar(rail.value, rail.limit, rail.exceeded)}
            </li>`;
          })}
        </ul>`
      : html`<p class="quiet">${words.none}</p>`}
  </section>`;
}

function bar(value: number, limit: number, exceeded: boolean): TemplateResult {
  const whole = Math.max(value, limit) * 1.25 || 1;
  return html`<svg viewBox="0 0 400 18" width="100%" height="18" preserveAspectRatio="none" aria-hidden="true">
    <rect y="4" width="400" height="10" rx="5" fill="var(--track)"></rect>
    <rect y="4" width=${(400 * value) / whole} height="10" rx="5" fill=${exceeded ? "var(--bad)" : "var(--good)"}></rect>
    <rect x=${(400 * limit) / whole} width="2.5" height="18" fill="var(--text)"></rect>
  </svg>`;
}

export function matrix(report: Moves, words: Words): TemplateResult {
  const rank = (standing: string) => (standing === "absent" ? -2 : standing === "unrated" ? 0 : standing === "awaiting" ? -1 : Number(standing));
  const standings = (side: "before" | "after") => [...new Set(report.matrix.map((cell) => cell[side]))].sort((a, b) => rank(a) - rank(b));
  const counts = new Map(report.matrix.map((cell) => [`${cell.before}>${cell.after}`, cell.agencies]));
  const columns = standings("after");
  return html`<section class="panel">
    <h2 id="matrix">${words.matrix} <small>${words.matrixHow}</small></h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="matrix">
      <table class="flow">
        <thead>
          <tr><td></td>${columns.map((column) => html`<th scope="col" class="number">${standingName(column, report, words)}</th>`)}</tr>
        </thead>
        <tbody>
          ${standings("before").map(
            (row) => html`<tr>
              <th scope="row" class="line">${standingName(row, report, words)}</th>
              ${columns.map((column) => {
                const count = counts.get(`${row}>${column}`);
                const way = !count || row === column || rank(row) < 0 || rank(column) < 0 ? "" : rank(column) > rank(row) ? "up" : "down";
                return html`<td class="number ${way} ${row === column ? "stay" : ""}">
                  ${count === undefined ? html`<span class="quiet">·</span>` : `${way === "up" ? "▲ " : way === "down" ? "▼ " : ""}${amount(count)}`}
                </td>`;
              })}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

export function distribution(report: Report, chosen: string | null, choose: (metric: string) => void, words: Words): TemplateResult {
  const seen = report.distributions.find((one) => one.metric === chosen) ?? report.distributions[0];
  const name = (metric: string) => report.metrics.find((one) => one.metric === metric)?.name ?? metric;
  if (!seen) return html``;
  return html`<section class="panel">
    <h2 id="distribution">${words.distribution}</h2>
    <label>${words.metric}
      <select @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}>
        ${report.distributions.map((one) => html`<option value=${one.metric} ?selected=${one === seen}>${name(one.metric)}</option>`)}
      </select>
    </label>
    <div class="two">
    <div>
    <div class="scroll spread" tabindex="0" role="group" aria-label=${name(seen.metric)}>${histogram(seen, `${words.distribution} · ${name(seen.metric)}`)}</div>
    <p class="quiet small">${fill(words.distributionHow, { count: amount(seen.agencies) })}</p>
    </div>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="distribution">
      <table>
        <thead>
          <tr>
            <th scope="col">${words.threshold}</th>
            <th scope="col" class="number">${words.required}</th>
            <th scope="col" class="number">${words.metBy}</th>
            <th scope="col" class="number">${words.near}</th>
          </tr>
        </thead>
        <tbody>
          ${seen.thresholds.map((threshold) => {
            const near = threshold.near.find((one) => one.percent === 5);
            return html`<tr>
              <th scope="row">${threshold.level}·${threshold.channel}</th>
              <td class="number">${amount(threshold.required)}</td>
              <td class="number">${amount(threshold.met_by)}</td>
              <td class="number">
                <b>${fill(words.nearCount, { count: amount(near?.agencies ?? 0) })}</b><br />
                <span class="quiet small">${fill(words.nearSides, { below: amount(near?.below ?? 0), above: amount(near?.at_or_above ?? 0) })}</span>
              </td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>
    </div>
    ${seen.cutoffs.length ? cutoffs(seen, words) : nothing}
  </section>`;
}

/** The thresholds that 10 %, 20 %, … of the agencies would meet. */
function cutoffs(seen: Report["distributions"][number], words: Words): TemplateResult {
  return html`<h3 id="cutoffs">${words.cutoffs}</h3>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="cutoffs">
      <table>
        <tbody>
          <tr><th scope="row" class="line">${words.atThreshold}</th>${seen.cutoffs.map((one) => html`<td class="number">${amount(one.value)}</td>`)}</tr>
          <tr><th scope="row" class="line">${words.wouldMeet}</th>${seen.cutoffs.map((one) => html`<td class="number">${amount(one.agencies)}</td>`)}</tr>
        </tbody>
      </table>
    </div>`;
}
