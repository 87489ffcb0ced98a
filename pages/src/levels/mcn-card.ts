import { css, html, nothing, type CSSResultGroup, type TemplateResult } from "lit";
import { answered, type Card, type Client, type Directory, type Publication } from "../api/client";
import { look } from "../look";
import { https } from "../show";
import { ApiElement } from "./element";
import type { Texts } from "./texts";

export const cardStyle: CSSResultGroup = css`
  .card { position: relative; }
  .card .head { display: flex; gap: 14px; align-items: center; }
  .card .head > div { min-width: 0; }
  .card h3 { font-size: 1.08rem; overflow-wrap: anywhere; }
  .card .badge { width: 60px; height: 60px; border-radius: 18px; }
  .card .badge b { font-size: 1.6rem; }
  .card img { width: 44px; height: 44px; border-radius: 12px; object-fit: cover; flex: none; }
  .card .head > div:nth-child(2) { flex: 1; }
  .card p { overflow-wrap: anywhere; }
  .chips { display: flex; flex-wrap: wrap; gap: 6px; }
  .chips li { background: var(--accent-soft); border-radius: 7px; padding: 2px 9px; font-size: 0.84rem; }
`;

/** An agency as creators and merchants see it. The logo's request does not name the page (no referrer). */
export function card(agency: Card | Directory["items"][number], words: Texts): TemplateResult {
  const logo = https(agency.logo_url);
  const standing = agency.status === "awaiting_first_rating" ? words.awaiting : agency.level === null ? words.unrated : `${agency.level} ${agency.level_name ?? ""}`;
  return html`<article class="panel card">
    <div class="head">
      <div class="badge ${agency.level === null ? "none" : ""}" aria-hidden="true"><b>${agency.level ?? "–"}</b><span>${words.lv}</span></div>
      <div>
        <h3>${agency.name}</h3>
        <p class="quiet small">${[agency.city, standing, agency.month].filter(Boolean).join(" · ")}</p>
      </div>
      ${logo ? html`<img src=${logo} alt="" width="44" height="44" loading="lazy" decoding="async" referrerpolicy="no-referrer" @error=${gone} />` : nothing}
    </div>
    ${agency.introduction ? html`<p>${agency.introduction}</p>` : nothing}
    ${agency.benefits.length ? html`<ul class="chips">${agency.benefits.map((name) => html`<li>${name}</li>`)}</ul>` : nothing}
  </article>`;
}

/** Hide a logo that can't be loaded. */
function gone(event: Event): void {
  (event.target as HTMLImageElement).hidden = true;
}

interface Shown {
  readonly publication: Publication;
  readonly agency: Card;
}

/** `<mcn-card agency="A-0042">`: level and basic information of an agency, for creators and merchants. */
export class McnCard extends ApiElement<Shown> {
  static override styles = [look, cardStyle];

  protected async read(client: Client): Promise<Shown | null> {
    if (!this.agency) return null;
    const publication = await answered(client.GET("/v1/publication", { params: { query: this.month ? { month: this.month } : {} } }));
    const params = { path: { agency_id: this.agency }, query: { month: publication.month } };
    return { publication, agency: await answered(client.GET("/v1/agencies/{agency_id}", { params })) };
  }

  protected shown({ publication, agency }: Shown): TemplateResult {
    return html`${this.stale(publication.stale || agency.stale)} ${card(agency, this.texts)} ${this.foot(publication)}`;
  }
}
