/** What is shown below the level: history, advice, binding slots, and what risk control excluded. */

import { html, nothing, type TemplateResult } from "lit";
import type { History, OwnView, Slots } from "../api/client";
import { course } from "../drawing/course";
import { fill, type Language } from "../language";
import { amount, https, share } from "../show";
import type { Names } from "./names";

export function history(past: History, names: Names): TemplateResult {
  const words = names.words;
  const metrics = [...new Set(past.items.flatMap((month) => Object.keys(month.metrics)))];
  const stops = [...past.items].reverse().map(({ month, level }) => ({ month, level }));
  return html`<section class="panel">
    <h2 id="history">${words.history}</h2>
    <div class="two past">
    ${course(stops, names.levels.length, { said: words.history, none: "–" })}
    <div class="scroll" tabindex="0" role="group" aria-labelledby="history">
      <table>
        <thead>
          <tr>
            <th scope="col">${words.month}</th>
            <th scope="col">${words.level}</th>
            ${metrics.map((metric) => html`<th scope="col" class="number">${names.metric(metric)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${past.items.map(
            (month) => html`<tr>
              <th scope="row" class="line">${month.month}</th>
              <td class="line">${status(month, names)}</td>
              ${metrics.map((metric) => html`<td class="number">${metric in month.metrics ? amount(month.metrics[metric]!) : "–"}</td>`)}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
    </div>
  </section>`;
}

function status(month: History["items"][number], names: Names): string {
  if (month.level === null) return month.status === "awaiting_first_rating" ? names.words.awaiting : names.words.unrated;
  return `${month.level} ${month.level_name ?? ""}`.trim();
}

export function tips(view: OwnView, names: Names, language: Language): TemplateResult {
  const words = names.words;
  return html`<section class="panel">
    <h2>${words.tips}</h2>
    ${view.tips.length
      ? html`<ul class="tips">
          ${view.tips.map((tip) => {
            const link = https(tip.link);
            return html`<li>
              ${tip.texts?.[language] ?? tip.tip}
              ${link ? html`<a href=${link} target="_blank" rel="noopener noreferrer">${words.more}<span class="hidden"> ${names.metric(tip.metric)}</span></a>` : nothing}
              <span class="quiet small">${names.metric(tip.metric)}</span>
            </li>`;
          })}
        </ul>`
      : html`<p class="quiet">${words.noTips}</p>`}
  </section>`;
}

export function slots(counted: Slots, names: Names): TemplateResult {
  const words = names.words;
  const { retention, allowance } = counted;
  const headline =
    allowance === "unlimited" ? words.slotsUnlimited : allowance === 0 ? words.slotsNone : fill(words.slotsCount, { count: allowance });
  return html`<section class="panel">
    <h2>${words.slots}</h2>
    <p class="large ${allowance === 0 ? "bad" : ""}">${headline}</p>
    <p class="quiet">
      ${fill(words.bound, { count: counted.bound })} ·
      ${counted.reason
        ? (words.notAssessed as Record<string, string>)[counted.reason] ?? counted.reason
        : fill(words.retention, { kept: retention.kept ?? "–", base: retention.base ?? "–", required: share(retention.required) })}
      ${counted.may_still_drop === null ? nothing : html` · ${fill(words.mayDrop, { count: counted.may_still_drop })}`}
    </p>
  </section>`;
}

/** Tags as risk control wrote them. A tag that is not a word is shown as unnamed, with the tag beside it. */
function tag(text: string, names: Names): string {
  return /^(0|null|none|nan|-)$/i.test(text.trim()) ? `${names.words.unnamedTag} (${text})` : text;
}

export function excluded(view: OwnView, names: Names): TemplateResult {
  const words = names.words;
  const { creators, orders } = view.excluded;
  const rows = [
    ...creators.map((removed) => ({ what: words.creators, ...removed, amount: null })),
    ...orders.map((removed) => ({ what: words.orders, ...removed })),
  ];
  return html`<section class="panel">
    <h2 id="excluded">${words.excluded}</h2>
    <p class="quiet small">${rows.length ? words.excludedWhy : words.nothingExcluded}</p>
    ${rows.length
      ? html`<div class="scroll" tabindex="0" role="group" aria-labelledby="excluded">
          <table>
            <thead>
              <tr>
                <th scope="col">${words.kind}</th>
                <th scope="col">${words.tag}</th>
                <th scope="col" class="number">${words.count}</th>
                <th scope="col" class="number">${words.yuan}</th>
              </tr>
            </thead>
            <tbody>
              ${rows.map(
                (row) => html`<tr>
                  <td>${row.what}</td>
                  <th scope="row">${tag(row.risk_tag, names)}</th>
                  <td class="number">${amount(row.count)}</td>
                  <td class="number">${row.amount === null ? "–" : amount(row.amount)}</td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>`
      : nothing}
  </section>`;
}
