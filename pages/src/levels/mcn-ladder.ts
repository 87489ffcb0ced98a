import { css, html, type TemplateResult } from "lit";
import { answered, type Catalogue, type Client, type Ladder } from "../api/client";
import { fill } from "../language";
import { look } from "../look";
import { amount } from "../show";
import { ApiElement } from "./element";
import { matrix, tables } from "./matrix";
import { Names } from "./names";

/** `<mcn-ladder>`: every level, what it asks for and what it gives. */
export class McnLadder extends ApiElement<{ ladder: Ladder; catalogue: Catalogue }> {
  static override styles = [look, tables, css`
    .levels { display: grid; gap: 12px; }
    .levels > li { display: grid; gap: 8px; padding: 14px; border: 1px solid var(--line); border-radius: calc(var(--radius) - 3px); }
    .levels h3 { display: flex; gap: 10px; align-items: center; }
    .levels .badge { width: 38px; height: 38px; border-radius: 12px; }
    .levels .badge b { font-size: 1.1rem; }
    .ways { display: grid; gap: 8px; }
    .ways li { display: flex; flex-wrap: wrap; gap: 2px 16px; padding-left: 12px; border-left: 3px solid var(--accent); }
    .ways b { flex-basis: 100%; font-size: 0.86rem; color: var(--quiet); font-weight: 500; }
    @container (min-width: 760px) { .ways { grid-template-columns: 1fr 1fr; } }
  `];

  protected async read(client: Client): Promise<{ ladder: Ladder; catalogue: Catalogue }> {
    const ladder = await answered(client.GET("/v1/levels", { params: { query: this.month ? { month: this.month } : {} } }));
    const catalogue = await answered(client.GET("/v1/benefits", { params: { query: { month: ladder.month } } }));
    return { ladder, catalogue };
  }

  protected shown({ ladder, catalogue }: { ladder: Ladder; catalogue: Catalogue }): TemplateResult {
    const words = this.texts;
    const names = new Names(ladder, words);
    return html`${this.stale(ladder.stale || catalogue.stale)}
      <section class="panel">
        <h2>${words.ladder} <small>${fill(words.measured, { month: ladder.month })}</small></h2>
        <ul class="levels">
          ${[...ladder.levels].reverse().map(
            (level) => html`<li>
              <h3><span class="badge" aria-hidden="true"><b>${level.level}</b></span><span class="hidden">${level.level} </span>${level.name}</h3>
              <p class="quiet small">${level.description} ${level.channels.length > 1 ? words.anyOne : ""}</p>
              <ul class="ways" aria-label=${fill(words.channelsOf, { level: names.level(level.level) })}>
                ${level.channels.map(
                  (channel) => html`<li>
                    <b>${fill(words.channel, { number: channel.channel })}</b>
                    ${channel.thresholds.map((one) => html`<span>${names.metric(one.metric)} ≥ ${amount(one.required)}</span>`)}
                  </li>`,
                )}
              </ul>
            </li>`,
          )}
        </ul>
      </section>
      ${matrix(catalogue, null, names)}`;
  }
}
