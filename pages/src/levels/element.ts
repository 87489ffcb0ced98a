/** What all elements have in common: the API's address, the token, and what is shown while there is no answer. */

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { connect, Refused, type Client, type Publication, type Token } from "../api/client";
import { instant } from "../show";
import { fill, languageOf, type Language } from "../language";
import { texts, type Texts } from "./texts";

const ASKED_ANEW = ["api", "agency", "month", "token"];

/**
 * An element that shows answers of the API. `api`: its address, by default the page's own. `month`: an earlier one.
 * `lang`: zh or en, by default that of the page. `token`: a property only, never an attribute.
 */
export abstract class ApiElement<Data> extends LitElement {
  static override properties = {
    api: {},
    agency: {},
    month: {},
    lang: {},
    token: { attribute: false },
    data: { state: true },
    refused: { state: true },
  };

  declare api: string | null;
  declare agency: string | null;
  declare month: string | null;
  declare token: Token;
  protected declare data: Data | null;
  protected declare refused: Refused | null;
  #current = 0;

  constructor() {
    super();
    this.api = this.agency = this.month = this.token = null;
    this.data = this.refused = null;
  }

  /** All data to show, from one publication; null while there is nothing to ask for. Throws Refused. */
  protected abstract read(client: Client): Promise<Data | null>;

  protected abstract shown(data: Data): TemplateResult;

  protected get language(): Language {
    return languageOf(this);
  }

  protected get texts(): Texts {
    return texts[this.language];
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("agency") || changed.has("month")) this.data = null;
    if (!this.hasUpdated || ASKED_ANEW.some((name) => changed.has(name))) void this.reload();
  }

  /** Ask again. The old data stay until the answer is there. Only the answer of the last call counts. */
  async reload(): Promise<void> {
    const current = ++this.#current;
    this.refused = null;
    try {
      const data = await this.read(connect(this.api ?? "", () => this.token));
      if (current === this.#current) this.data = data;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (current !== this.#current) return;
      this.refused = error;
      if (error.status && error.status < 500) this.data = null;
      // For the page around it: on 401 it should sign in again.
      this.dispatchEvent(new CustomEvent("mcn-refused", { detail: { status: error.status }, bubbles: true, composed: true }));
    }
  }

  protected override render(): TemplateResult {
    const words = this.texts;
    return html`<div class="sheet" lang=${this.language} aria-busy=${String(!this.data && !this.refused)}>
      ${this.refused ? this.#refusal(this.refused) : nothing}
      ${this.data ? this.shown(this.data) : this.refused ? nothing : html`<p class="panel quiet" role="status">${words.loading}</p>`}
    </div>`;
  }

  #refusal(refused: Refused): TemplateResult {
    const words = this.texts;
    const [title, advice] = words.refused[refused.status] ?? words.refused[500]!;
    const problem = refused.problem;
    const detail = problem ? (this.language === "zh" ? problem.detail_zh : problem.detail) : advice;
    const calm = refused.status === 0 || refused.status === 404 || refused.status === 503;
    return html`<section class="notice ${calm ? "warn" : "bad"}" role="alert">
      <h2>${title}</h2>
      <p>${detail}</p>
      ${this.data ? html`<p>${words.kept}</p>` : nothing}
      ${refused.requestId ? html`<p class="small quiet">${fill(words.requestId, { id: refused.requestId })}</p>` : nothing}
      ${refused.status === 401 || refused.status === 403
        ? nothing
        : html`<p class="actions"><button type="button" @click=${() => this.reload()}>${words.again}</button></p>`}
    </section>`;
  }

  /** The last line of every page: the measured month, when it was published, when the next one is due, and the run. */
  protected foot(shown: Omit<Publication, "stale">): TemplateResult {
    const words = this.texts;
    return html`<p class="foot">
      <span>${fill(words.measured, { month: shown.month })}</span>
      <span>${fill(words.published, { at: instant(shown.published_at) })}</span>
      <span>${fill(words.nextRenewal, { date: shown.next_renewal_on })}</span>
      <span>${words.run} <code>${shown.run}</code></span>
    </p>`;
  }

  protected stale(stale: boolean): TemplateResult | typeof nothing {
    return stale ? html`<p class="notice warn" role="status"><span>${this.texts.stale}</span></p>` : nothing;
  }
}
