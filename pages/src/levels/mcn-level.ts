import { css, html, nothing, type TemplateResult } from "lit";
import { answered, type Catalogue, type Client, type History, type Ladder, type OwnView, type Slots } from "../api/client";
import { stairs } from "../drawing/stairs";
import { fill } from "../language";
import { look } from "../look";
import { amount } from "../show";
import { Names } from "./names";
import { matrix, tables } from "./matrix";
import { nextLevel, channelStyle } from "./next-level";
import { ApiElement } from "./element";
import { excluded, history, slots, tips } from "./facts";

export interface LevelCentre {
  readonly view: OwnView;
  readonly ladder: Ladder;
  readonly catalogue: Catalogue;
  readonly history: History;
  readonly slots: Slots;
}

/** `<mcn-level agency="A-0042">`: an agency's own view of its level. Its token is that agency's. */
export class McnLevel extends ApiElement<LevelCentre> {
  static override styles = [look, tables, channelStyle, css`
    .head { display: flex; gap: 16px; align-items: center; }
    .head > div { min-width: 0; display: grid; gap: 4px; }
    .facts { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; }
    .names { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); font-size: 0.84rem; color: var(--quiet); text-align: center; }
    .names li { padding: 4px 2px; overflow-wrap: anywhere; }
    .names .held { color: var(--text); font-weight: 700; }
    .names small { display: block; color: var(--accent); font-size: 0.74rem; font-weight: 600; }
    .tips li { padding-left: 18px; position: relative; }
    .tips li + li { margin-top: 6px; }
    .tips li::before { content: ""; position: absolute; left: 2px; top: 0.6em; width: 7px; height: 7px; border-radius: 2px; background: var(--accent); }
    @container (max-width: 480px) {
      .why tr { display: grid; grid-template-columns: repeat(3, 1fr); }
      .why :is(th, td) { padding: 6px 0; }
      .why thead th:first-child { display: none; }
      .why th[scope="row"] { grid-column: 1 / -1; border: 0; padding-bottom: 0; }
      .names { font-size: 0.78rem; }
      .names small span { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
    }
    .large { font-size: 1.25rem; font-weight: 700; }
  `];

  /** First the view, then everything else for the view's month, so that all answers are of one month. */
  protected async read(client: Client): Promise<LevelCentre | null> {
    if (!this.agency) return null;
    const path = { agency_id: this.agency };
    const query = this.month ? { month: this.month } : {};
    const view = await answered(client.GET("/v1/agencies/{agency_id}/level", { params: { path, query } }));
    const same = { month: view.month };
    const [ladder, catalogue, past, slots] = await Promise.all([
      answered(client.GET("/v1/levels", { params: { query: same } })),
      answered(client.GET("/v1/benefits", { params: { query: same } })),
      answered(client.GET("/v1/agencies/{agency_id}/history", { params: { path, query: { ...same, limit: 12 } } })),
      answered(client.GET("/v1/agencies/{agency_id}/binding-slots", { params: { path, query: same } })),
    ]);
    return { view, ladder, catalogue, history: past, slots };
  }

  protected shown(data: LevelCentre): TemplateResult {
    const { view, ladder } = data;
    const names = new Names(ladder, this.texts);
    const stale = view.stale || ladder.stale || data.catalogue.stale || data.history.stale || data.slots.stale;
    return html`
      ${this.stale(stale)} ${this.#head(view, names)}
      ${view.status === "awaiting_first_rating" ? nothing : this.#progress(view, names)}
      ${matrix(data.catalogue, view.level, names)}
      ${history(data.history, names)}
      <div class="two">${tips(view, names, this.language)} ${slots(data.slots, names)}</div>
      ${excluded(view, names)}
    `;
  }

  #head(view: OwnView, names: Names): TemplateResult {
    const words = names.words;
    return html`<section class="panel">
      <div class="head">
        <div class="badge ${view.level === null ? "none" : ""}" aria-hidden="true">
          <b>${view.level ?? "–"}</b><span>${words.lv}</span>
        </div>
        <div>
          <h1>${view.name}</h1>
          <p class="facts">
            <strong>${this.#standing(view, names)}</strong>
            ${this.#change(view, names)}
            ${view.status === "overridden" ? html`<span class="chip warn">${words.overridden}</span>` : nothing}
            <code class="quiet">${view.agency_id}</code>
          </p>
        </div>
      </div>
      ${this.#because(view, names)}
      <div>
        ${stairs(names.levels.length, view.level, fill(words.stairs, { count: names.levels.length, level: names.level(view.level) }))}
        <ul class="names">
          ${names.levels.map(
            ({ level, name }) => html`<li class=${level === view.level ? "held" : ""}>
              ${level} ${name}${level === view.level ? html`<small>▲<span> ${words.here}</span></small>` : nothing}
            </li>`,
          )}
        </ul>
      </div>
      <p class="quiet small">${words.onlyMonth}</p>
      ${this.foot(view.publication)}
    </section>`;
  }

  #standing(view: OwnView, names: Names): string {
    return view.status === "awaiting_first_rating" ? names.words.awaiting : names.level(view.level);
  }

  #change(view: OwnView, names: Names): TemplateResult | typeof nothing {
    if (!view.change) return nothing;
    const marks: Record<string, [string, string]> = { up: ["good", "▲"], down: ["bad", "▼"], same: ["quiet", "="], new: ["accent", "★"] };
    const [kind, mark] = marks[view.change] ?? ["quiet", ""]; // a later version of the API may know other changes
    const change = (names.words.change as Record<string, string>)[view.change] ?? view.change;
    const before = view.change === "up" || view.change === "down"
      ? html`<span class="quiet small">${fill(names.words.previous, { level: names.level(view.previous_level) })}</span>`
      : nothing;
    return html`<span class="chip ${kind}"><span aria-hidden="true">${mark}</span> ${change}</span>${before}`;
  }

  #because(view: OwnView, names: Names): TemplateResult | typeof nothing {
    const words = names.words;
    if (view.status === "awaiting_first_rating") return html`<p class="notice good"><span>${fill(words.awaitingOn, { date: view.first_rating_on ?? "" })}</span></p>`;
    if (view.status === "below_ladder") return html`<p>${words.unratedWhy}</p>`;
    if (view.status === "overridden") return html`<p>${fill(words.overriddenWhy, { level: names.level(view.computed_level) })}</p>`;
    return nothing;
  }

  #progress(view: OwnView, names: Names): TemplateResult {
    const words = names.words;
    const goal = view.next_level
      ? nextLevel(view.next_level, names)
      : html`<section class="panel"><h2>${words.top}</h2><p>${words.topWhy}</p></section>`;
    return view.channels.length ? html`<div class="two">${goal} ${this.#why(view, names)}</div>` : goal;
  }

  #why(view: OwnView, names: Names): TemplateResult {
    const words = names.words;
    const margins = new Map(view.margin.map((channel) => [channel.channel, channel.thresholds]));
    return html`<section class="panel">
      <h2>${words.why} <small>${names.level(view.computed_level)} · ${words.anyOne}</small></h2>
      ${view.channels.map((channel) => {
        const spare = margins.get(channel.channel);
        return html`<div class="channel">
          <h3>
            ${fill(words.channel, { number: channel.channel })}
            <span class="chip ${channel.passed ? "good" : "bad"}">${channel.passed ? `✓ ${words.met}` : `✗ ${words.notMet}`}</span>
          </h3>
          <div class="scroll" tabindex="0" role="group" aria-label=${fill(words.channel, { number: channel.channel })}>
            <table class="why">
              <thead>
                <tr>
                  <th scope="col">${words.metric}</th>
                  <th scope="col" class="number">${words.required}</th>
                  <th scope="col" class="number">${words.actual}</th>
                  <th scope="col" class="number">${words.margin}</th>
                </tr>
              </thead>
              <tbody>
                ${channel.thresholds.map(
                  (threshold) => html`<tr>
                    <th scope="row">${names.metric(threshold.metric)}</th>
                    <td class="number">${amount(threshold.required)}</td>
                    <td class="number ${threshold.met ? "good" : "bad"}">
                      <span aria-label=${threshold.met ? words.met : words.notMet} role="img">${threshold.met ? "✓" : "✗"}</span>
                      ${amount(threshold.actual)}
                    </td>
                    <td class="number">
                      ${spare ? amount(spare.find((one) => one.metric === threshold.metric)?.margin ?? "–") : "–"}
                    </td>
                  </tr>`,
                )}
              </tbody>
            </table>
          </div>
        </div>`;
      })}
      ${view.margin.length ? html`<p class="quiet small">${words.marginWhy}</p>` : nothing}
    </section>`;
  }
}
