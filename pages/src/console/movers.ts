import { html, nothing, type TemplateResult } from "lit";
import { fill } from "../language";
import { amount, share } from "../show";
import { standingName, type Moves } from "./run";
import type { Words } from "./texts";

type Mover = Moves["movers"][number];

export interface Choice {
  readonly search: string;
  readonly direction: "all" | "up" | "down";
  readonly order: "gravity" | "name" | "closeness";
  readonly shown: number;
}

export const FIRST: Choice = { search: "", direction: "all", order: "gravity", shown: 25 };

export function movers(report: Moves, choice: Choice, choose: (choice: Choice) => void, words: Words): TemplateResult {
  const found = chosen(report.movers, choice);
  const change = (part: Partial<Choice>) => choose({ ...choice, shown: FIRST.shown, ...part });
  const value = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;
  return html`<section class="panel">
    <h2 id="movers">${words.movers}</h2>
    <div class="controls">
      <label>${words.search}<input type="search" .value=${choice.search} @input=${(event: Event) => change({ search: value(event) })} /></label>
      <label>${words.direction}
        <select @change=${(event: Event) => change({ direction: value(event) as Choice["direction"] })}>
          <option value="all">${words.all}</option><option value="down">${words.down}</option><option value="up">${words.up}</option>
        </select>
      </label>
      <label>${words.order}
        <select @change=${(event: Event) => change({ order: value(event) as Choice["order"] })}>
          <option value="gravity">${words.byGravity}</option><option value="closeness">${words.byCloseness}</option><option value="name">${words.byName}</option>
        </select>
      </label>
    </div>
    ${found.length
      ? html`<div class="scroll" tabindex="0" role="group" aria-labelledby="movers">
          <table class="wide moves">
            <thead>
              <tr>
                <th scope="col">${words.agency}</th>
                <th scope="col">${words.change}</th>
                <th scope="col">${words.decidedBy}</th>
                <th scope="col" class="number">${words.actual}</th>
                <th scope="col" class="number">${words.required}</th>
                <th scope="col">${words.benefitChanges}</th>
              </tr>
            </thead>
            <tbody>${found.slice(0, choice.shown).map((mover) => row(mover, report, words))}</tbody>
          </table>
        </div>`
      : html`<p class="quiet">${words.noMovers}</p>`}
    <p class="quiet small" role="status">${fill(words.shown, { shown: amount(Math.min(choice.shown, found.length)), all: amount(report.moving) })}</p>
    ${found.length > choice.shown
      ? html`<p><button type="button" @click=${() => choose({ ...choice, shown: choice.shown + 100 })}>${words.more}</button></p>`
      : nothing}
  </section>`;
}

function chosen(all: readonly Mover[], choice: Choice): Mover[] {
  const sought = choice.search.trim().toLowerCase();
  const found = all.filter((mover) => {
    const way = up(mover) ? "up" : "down";
    const fits = choice.direction === "all" || choice.direction === way;
    return fits && (!sought || mover.name.toLowerCase().includes(sought) || mover.agency_id.toLowerCase().includes(sought));
  });
  const far = (mover: Mover) => (mover.decided_by?.share == null ? Infinity : Math.abs(mover.decided_by.share - 1));
  if (choice.order === "name") found.sort((a, b) => a.name.localeCompare(b.name));
  if (choice.order === "closeness") found.sort((a, b) => far(a) - far(b));
  return found;
}

function extent(text: string, words: Words): string {
  return text === "unlimited" ? words.unlimited : text;
}

function up(mover: Mover): boolean {
  return (mover.new_level ?? 0) > (mover.old_level ?? 0);
}

function row(mover: Mover, report: Moves, words: Words): TemplateResult {
  const name = (level: number | null) => standingName(level === null ? "unrated" : String(level), report, words);
  const decided = mover.decided_by;
  const metric = decided && report.metrics.find((one) => one.metric === decided.metric);
  return html`<tr>
    <th scope="row">${mover.name}<br /><a href="/?agency=${mover.agency_id}#level"><code>${mover.agency_id}</code></a></th>
    <td class="line whole ${up(mover) ? "good" : "bad"}">${up(mover) ? "▲" : "▼"} ${name(mover.old_level)} → ${name(mover.new_level)}</td>
    <td class="whole">${metric ? metric.name : mover.cause ? words.cause[mover.cause] : "–"}</td>
    <td class="number" data-label=${words.actual}>${decided ? html`${amount(decided.actual)}${decided.share === null ? nothing : html`<br /><span class="quiet small">${share(decided.share)}</span>`}` : "–"}</td>
    <td class="number" data-label=${words.required}>${decided ? amount(decided.required) : "–"}</td>
    <td class="lines whole">
      ${mover.benefits_gained.map((benefit) => html`<span class="good">+${benefit}</span> `)}
      ${mover.benefits_lost.map((benefit) => html`<span class="bad">−${benefit}</span> `)}
      ${mover.benefits_changed.map((one) => html`<span>${one.benefit} ${extent(one.before, words)} → ${extent(one.now, words)}</span> `)}
      ${mover.benefits_gained.length || mover.benefits_lost.length || mover.benefits_changed.length ? nothing : html`<span class="quiet">${words.same}</span>`}
    </td>
  </tr>`;
}
