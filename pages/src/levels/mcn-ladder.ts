import { css, html, nothing, type TemplateResult } from "lit";
import { answered, type Catalogue, type Client, type Ladder, type Publication } from "../api/client";
import { fill } from "../language";
import { look } from "../look";
import { ApiElement } from "./element";
import { matrix, tables } from "./matrix";
import { Names } from "./names";

interface Levels {
  readonly publication: Publication;
  readonly ladder: Ladder;
  readonly catalogue: Catalogue;
}

/** `<mcn-ladder>`: every level with its thresholds and benefits. */
export class McnLadder extends ApiElement<Levels> {
  static override styles = [look, tables, css`
    .levels { display: grid; gap: 12px; }
    .levels > li { display: grid; gap: 8px; padding: 14px; border: 1px solid var(--line); border-radius: calc(var(--radius) - 3px); }
    .levels h3 { display: flex; gap: 10px; align-items: center; }
    .levels .badge { width: 38px; height: 38px; border-radius: 12px; }
    .levels .badge b { font-size: 1.1rem; }
    .ways { display: grid; gap: 8px; }
    .ways li { display: flex; flex-wrap: wrap; align-content: start; gap: 2px 16px; padding-left: 12px; border-left: 3px solid var(--accent); }
    .ways b { flex-basis: 100%; font-size: 0.86rem; color: var(--quiet); font-weight: 500; }
    @container (min-width: 760px) { .ways { grid-template-columns: 1fr 1fr; } }
  `];

  /** All answers are of the publication's month, also if a newer month is published in between. */
  protected async read(client: Client): Promise<Levels> {
    const publication = await answered(client.GET("/v1/publication", { params: { query: this.month ? { month: this.month } : {} } }));
    const params = { query: { month: publication.month } };
    const [ladder, catalogue] = await Promise.all([answered(client.GET("/v1/levels", { params })), answered(client.GET("/v1/benefits", { params }))]);
    return { publication, ladder, catalogue };
  }

  protected shown({ publication, ladder, catalogue }: Levels): TemplateResult {
    const words = this.texts;
    const names = new Names(ladder, words);
    return html`${this.stale(publication.stale || ladder.stale || catalogue.stale)}
      <section class="panel">
        <h2>${words.ladder} <small>${words.anyOne}</small></h2>
        <ul class="levels">
          ${[...ladder.levels].reverse().map(
            (level) => html`<li>
              <h3><span class="badge" aria-hidden="true"><b>${level.level}</b></span><span class="hidden">${level.level} </span>${level.name}</h3>
              ${level.description ? html`<p class="quiet small">${level.description}</p>` : nothing}
              <ul class="ways" aria-label=${fill(words.channelsOf, { level: names.level(level.level) })}>
                ${level.channels.map(
                  (channel) => html`<li>
                    <b>${fill(words.channel, { number: channel.channel })}</b>
                    ${channel.thresholds.map((one) => html`<span>${names.metric(one.metric)} ≥ ${names.measured(one.metric, one.required)}</span>`)}
                  </li>`,
                )}
              </ul>
            </li>`,
          )}
        </ul>
        ${this.foot(publication)}
      </section>
      ${matrix(catalogue, null, names)}`;
  }
}
