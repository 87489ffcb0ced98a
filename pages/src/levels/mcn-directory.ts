import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { answered, connect, Refused, type Card, type Client, type Directory, type Ladder, type Publication } from "../api/client";
import { fill } from "../language";
import { look } from "../look";
import { ApiElement } from "./element";
import { card, cardStyle } from "./mcn-card";
import { Names } from "./names";

interface Listed {
  readonly publication: Publication;
  readonly ladder: Ladder;
  readonly level: number;
  readonly pages: readonly Directory[];
  readonly found: Card | null;
}

const PAGE = 12;

/** `<mcn-directory>`: find an agency, or list the agencies of a level page by page. */
export class McnDirectory extends ApiElement<Listed> {
  static override styles = [look, cardStyle, css`
    form { display: flex; flex-wrap: wrap; gap: 8px; align-items: end; }
    label { display: grid; gap: 4px; flex: 1 1 180px; font-size: 0.86rem; color: var(--quiet); }
    input { font: inherit; font-size: 1rem; color: var(--text); background: var(--surface); border: 1px solid var(--quiet); border-radius: 10px; padding: 8px 12px; min-height: 42px; min-width: 0; width: 100%; }
    .tabs { display: flex; flex-wrap: wrap; gap: 8px; }
    .tabs button[aria-pressed="true"] { background: var(--accent); color: var(--on-accent); font-weight: 600; }
    .cards { display: grid; gap: 14px; }
    .cards > li { display: grid; }
    @container (min-width: 620px) { .cards { grid-template-columns: 1fr 1fr; } }
    @container (min-width: 960px) { .cards { grid-template-columns: 1fr 1fr 1fr; } }
  `];

  static override properties = { ...ApiElement.properties, level: { type: Number } };

  declare level: number | null;

  constructor() {
    super();
    this.level = null;
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (this.hasUpdated && changed.has("level")) void this.reload();
  }

  /** All answers are of the publication's month, also if a newer month is published in between. */
  protected async read(client: Client): Promise<Listed> {
    const publication = await answered(client.GET("/v1/publication", { params: { query: this.month ? { month: this.month } : {} } }));
    const month = publication.month;
    const ladder = await answered(client.GET("/v1/levels", { params: { query: { month } } }));
    const level = this.level ?? ladder.levels.at(-1)!.level;
    const [page, found] = await Promise.all([
      answered(client.GET("/v1/agencies", { params: { query: { level, limit: PAGE, month } } })),
      this.agency ? answered(client.GET("/v1/agencies/{agency_id}", { params: { path: { agency_id: this.agency }, query: { month } } })) : null,
    ]);
    return { publication, ladder, level, pages: [page], found };
  }

  protected shown(data: Listed): TemplateResult {
    const words = this.texts;
    const names = new Names(data.ladder, words);
    const next = data.pages.at(-1)?.next;
    const items = data.pages.flatMap((page) => page.items);
    return html`${this.stale(data.publication.stale || data.pages.some((page) => page.stale))}
      <section class="panel">
        <h1>${words.directory}</h1>
        ${this.#search()}
        ${this.foot(data.publication)}
      </section>
      ${data.found ? html`<h2 class="hidden">${words.find}</h2>${card(data.found, words)}` : nothing}
      <section class="sheet">
        <h2>${fill(words.who, { level: names.level(data.level) })}</h2>
        <div class="tabs" role="group" aria-label=${words.directory}>
          ${[...data.ladder.levels].reverse().map(
            ({ level, name }) => html`<button type="button" aria-pressed=${String(level === data.level)} @click=${() => (this.level = level)}>
              ${level} ${name}
            </button>`,
          )}
        </div>
        ${items.length
          ? html`<ul class="cards">${items.map((agency) => html`<li>${card(agency, words)}</li>`)}</ul>`
          : html`<p class="panel quiet">${words.noAgencies}</p>`}
        ${next ? html`<p><button type="button" @click=${() => this.#more(data, next)}>${words.moreAgencies}</button></p>` : nothing}
      </section>`;
  }

  #search(): TemplateResult {
    const words = this.texts;
    const look = (event: SubmitEvent) => {
      event.preventDefault();
      const asked = new FormData(event.target as HTMLFormElement).get("agency");
      this.agency = String(asked ?? "").trim() || null;
    };
    return html`<form @submit=${look} role="search" aria-label=${words.find}>
      <label>${words.find}<input name="agency" .value=${this.agency ?? ""} placeholder="A-0042" autocomplete="off" spellcheck="false" /></label>
      <button type="submit">${words.look}</button>
    </form>`;
  }

  async #more(data: Listed, cursor: string): Promise<void> {
    const client = connect(this.api ?? "", () => this.token);
    const query = { level: data.level, limit: PAGE, month: data.publication.month, cursor };
    try {
      const page = await answered(client.GET("/v1/agencies", { params: { query } }));
      if (this.data === data) this.data = { ...data, pages: [...data.pages, page] };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.refused = error;
    }
  }
}
