import { css, html, nothing, type TemplateResult } from "lit";
import { answered, connect, Refused, type Client, type Ledger, type Months, type MonthState, type MonthToCome, type Report, type Runs, type Ticket, type Workbook } from "../api/client";
import { fill } from "../language";
import { ApiElement } from "../levels/element";
import { look } from "../look";
import { amount, instant, reachable } from "../show";
import { FIRST, movers, type Choice } from "./movers";
import { distribution, guardrails, matrix } from "./run";
import { words, type Words } from "./texts";
import { changes, faults, ledger } from "./workbook";

interface Shown {
  readonly months: Months;
  readonly month: MonthState | null;
  /** The changes that the workbook prepares for the month, if any. Without a month state, the month is not over. */
  readonly toCome: MonthToCome | null;
  readonly runs: Runs;
  readonly report: Report | null;
  readonly ledger: Ledger;
  readonly workbook: Workbook;
}

interface Chosen {
  readonly run: string;
  readonly preview: boolean;
}

type Section = "month" | "workbook" | "ledger";
type Asked = Promise<{ data?: Ticket; error?: unknown; response: Response }>;

const POLL_MILLISECONDS = 1000;
const LARGEST = 4_000_000;

/** `<mcn-console>`: the console of operations. Its token needs the scope levels.operate. */
export class McnConsole extends ApiElement<Shown> {
  static override properties = {
    ...ApiElement.properties,
    section: { state: true },
    chosen: { state: true },
    metric: { state: true },
    tried: { state: true },
    choice: { state: true },
    typed: { state: true },
    reason: { state: true },
    anyway: { state: true },
    working: { state: true },
    said: { state: true },
  };
  static override styles = [look, css`
    .tabs, .months { display: flex; flex-wrap: wrap; gap: 8px; }
    .tabs button[aria-pressed="true"], .months button[aria-pressed="true"] { background: var(--accent); color: var(--on-accent); font-weight: 600; }
    .months button { text-align: left; line-height: 1.35; }
    .months button small { display: block; font-weight: 400; }
    .state { border-left: 6px solid var(--accent); }
    .state.held { border-left-color: var(--warn); background: var(--warn-soft); }
    .state.published { border-left-color: var(--good); }
    .state h1 span { font-weight: 400; }
    .panel > form { max-width: 640px; }
    .wide { min-width: 720px; }
    .spread svg { min-width: 480px; max-width: none; }
    .lines span { display: block; }
    .rails { display: grid; gap: 12px; }
    .rails p { margin-bottom: 4px; }
    label { display: grid; gap: 4px; font-size: 0.86rem; color: var(--quiet); min-width: 0; }
    input, select, textarea { font: inherit; font-size: 1rem; color: var(--text); background: var(--surface); border: 1px solid var(--quiet); border-radius: 10px; padding: 8px 12px; min-height: 42px; min-width: 0; width: 100%; }
    form { display: grid; gap: 12px; }
    .controls { display: grid; gap: 10px; }
    .flow td.up { background: var(--good-soft); color: var(--good); }
    .flow td.down { background: var(--bad-soft); color: var(--bad); }
    .flow .stay { font-weight: 700; }
    .runs li { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: center; padding: 6px 0; border-top: 1px solid var(--line); }
    .runs li:first-child { border-top: 0; }
    .runs .files { flex-basis: 100%; display: flex; flex-wrap: wrap; gap: 2px 14px; font-size: 0.86rem; }
    label.check { display: flex; gap: 10px; align-items: start; font-size: 0.93rem; color: var(--text); }
    label.check input { width: 20px; min-height: 20px; flex: none; margin: 2px 0 0; }
    .runs button { padding: 4px 12px; min-height: 34px; margin-left: auto; }
    @container (min-width: 760px) { .controls { grid-template-columns: 2fr 1fr 1fr; } }
    @container (max-width: 480px) {
      .moves { min-width: 0; }
      .moves thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
      .moves tr { display: grid; grid-template-columns: 1fr 1fr; padding: 8px 0; border-bottom: 1px solid var(--line); }
      .moves :is(th, td) { border: 0; padding: 2px 0; text-align: left; white-space: normal; }
      .moves :is(th, .whole) { grid-column: 1 / -1; }
      .moves .lines span { display: inline; }
      .moves td[data-label]::before { content: attr(data-label) " "; color: var(--quiet); font-size: 0.86rem; }
    }
  `];

  declare section: Section;
  declare chosen: Chosen | null;
  declare metric: string | null;
  /** The last preview of a month that is not over. */
  declare tried: MonthToCome | null;
  declare choice: Choice;
  declare typed: string;
  declare reason: string;
  /** Whether to publish the run although its data or publication changed since; null while the run is up to date. */
  declare anyway: boolean | null;
  declare working: boolean;
  declare said: TemplateResult | null;

  constructor() {
    super();
    this.section = "month";
    this.choice = FIRST;
    this.chosen = this.metric = this.tried = this.said = this.anyway = null;
    this.typed = this.reason = "";
    this.working = false;
  }

  /** The month that waits for a decision, or else the newest; of that month the held run, or else the valid one. */
  protected async read(client: Client): Promise<Shown> {
    const [months, workbook] = await Promise.all([answered(client.GET("/v1/operations/months")), answered(client.GET("/v1/operations/workbook"))]);
    const coming = monthsToCome(workbook, this.tried);
    const asked = months.items.find((one) => one.month === this.month) ?? null;
    const isToCome = !asked && coming.some((one) => one.month === this.month);
    const month = asked ?? (isToCome ? null : (months.items.find((one) => one.state === "held") ?? months.items[0] ?? null));
    const toCome = coming.find((one) => one.month === (isToCome ? this.month : month?.month)) ?? null;
    const run = this.chosen ?? (month && defaultRun(month));
    const query = month ? { month: month.month } : {};
    const [runs, report, lines] = await Promise.all([
      month ? answered(client.GET("/v1/operations/runs", { params: { query: { month: month.month } } })) : { items: [] },
      run && month
        ? answered(client.GET("/v1/operations/runs/{run}", { params: { path: { run: run.run }, query: { month: month.month, preview: run.preview } } })).catch(gone)
        : null,
      answered(client.GET("/v1/operations/ledger", { params: { query: this.section === "ledger" ? {} : query } })),
    ]);
    return { months, month, toCome, runs, report, ledger: lines, workbook };
  }

  protected shown(data: Shown): TemplateResult {
    const said = words[this.language];
    const section = (name: Section) =>
      html`<button type="button" aria-pressed=${String(this.section === name)} @click=${() => this.#open(name)}>${said[name]}</button>`;
    return html`
      <div class="tabs" role="group" aria-label=${said.views}>${section("month")} ${section("workbook")} ${section("ledger")}</div>
      <div role="status">${this.said ?? (this.working ? html`<p class="notice warn"><span>${said.asking}</span></p>` : nothing)}</div>
      ${this.section === "month" ? this.#month(data, said) : this.section === "workbook" ? this.#workbook(data, said) : ledger(data.ledger.items, said, this.language)}
    `;
  }

  #open(section: Section): void {
    this.section = section;
    this.said = null;
    void this.reload();
  }

  #month(data: Shown, said: Words): TemplateResult {
    const { month, report, toCome } = data;
    const coming = monthsToCome(data.workbook, this.tried).filter((one) => !data.months.items.some((over) => over.month === one.month));
    return html`
      <div class="months" role="group" aria-label=${said.months}>
        ${coming.map(
          (one) => html`<button type="button" aria-pressed=${String(one.month === toCome?.month)} @click=${() => this.#choose(one.month)}>
            ${one.month}<small>${one === this.tried ? said.preview : said.prepared}</small>
          </button>`,
        )}
        ${data.months.items.map(
          (one) => html`<button type="button" aria-pressed=${String(one.month === month?.month)} @click=${() => this.#choose(one.month)}>
            ${one.month}<small>${said.state[one.state]}</small>
          </button>`,
        )}
      </div>
      ${month ? this.#state(month, data.months, report, toCome, said) : toCome ? this.#prepared(toCome, said) : nothing}
      ${report
        ? html`<div class="two">${guardrails(report, said, this.language)} ${this.#decision(report, data.months, said)}</div>
            ${matrix(report, said)}
            ${distribution(report, this.metric, (metric) => (this.metric = metric), said)}
            ${movers(report, this.choice, (choice) => (this.choice = choice), said)}
            ${report.changes.length ? changes(report.changes, said.runChanges, said, this.language) : nothing}`
        : toCome
          ? html`${matrix(toCome, said)} ${movers(toCome, this.choice, (choice) => (this.choice = choice), said)}`
          : month && defaultRun(month)
            ? html`<p class="panel quiet">${said.reportGone}</p>`
            : nothing}
      ${month
        ? html`<div class="two">${this.#runs(data, said)} ${this.#preview(data, said)}</div>
            ${ledger(data.ledger.items, said, this.language)}`
        : this.#preview(data, said)}
    `;
  }

  /** A month that is not over, and what the workbook prepares for it. */
  #prepared(toCome: MonthToCome, said: Words): TemplateResult {
    return html`<section class="panel state">
      <h1>${toCome.month} <span>${toCome === this.tried ? said.preview : said.prepared}</span></h1>
      <p>${preparedWhy(toCome, said)}</p>
      <p class="foot"><span>${fill(said.due, { date: toCome.due_on })}</span></p>
    </section>`;
  }

  #state(month: MonthState, months: Months, report: Report | null, toCome: MonthToCome | null, said: Words): TemplateResult {
    const missing = month.missing.map((dataset) => said.dataset[dataset] ?? dataset).join(this.language === "zh" ? "、" : ", ");
    const last = month.last;
    return html`<section class="panel state ${month.state}">
      <h1>${month.month} <span>${said.state[month.state]}</span></h1>
      <p>${fill(said.stateWhy[month.state], { missing })}</p>
      ${toCome && !report ? html`<p>${preparedWhy(toCome, said)}</p>` : nothing}
      ${report?.standing === "held" && report.held_because ? html`<p>${report.held_because[this.language]}</p>` : nothing}
      ${report?.retention_assessed === false ? html`<p>${said.notAssessed}</p>` : nothing}
      ${report?.data_warnings.map((warning) => html`<p lang="en">${warning}</p>`)}
      <p class="foot">
        ${month.valid ? html`<span>${fill(said.publishedAt, { at: instant(month.valid.published_at), action: said.action[month.valid.action] ?? month.valid.action })}</span>` : html`<span class=${month.overdue ? "warn" : ""}>${fill(month.overdue ? said.overdue : said.due, { date: month.renewed_on })}</span>`}
        ${last?.by ? html`<span>${fill(said.doneBy, { by: last.by })}</span>` : nothing}
        <span>${fill(said.nextRenewal, { date: months.next_renewal_on })}</span>
        ${report
          ? html`<span>${said.run} <code>${report.run}</code> (${said.standing[report.standing]})</span>
              <span>${report.compared_with_month ? fill(said.comparedWith, { month: report.compared_with_month }) : said.firstMonth}</span>
              <span>${fill(said.agencies, { count: amount(report.agencies) })}</span>`
          : month.valid
            ? html`<span>${said.run} <code>${month.valid.run}</code></span>`
            : nothing}
      </p>
    </section>`;
  }

  #decision(report: Report, months: Months, said: Words): TemplateResult {
    const action = report.standing === "held" ? "accept" : report.standing === "replaced" ? "rollback" : null;
    if (!action) return html`<section class="panel"><h2>${said.standing[report.standing]}</h2><p class="quiet">${said.run} <code>${report.run}</code></p></section>`;
    const ready = this.typed.trim() === report.month && this.reason.trim() !== "" && !this.working && this.anyway !== false;
    const decide = (event: SubmitEvent) => {
      event.preventDefault();
      if (!ready) return;
      const body = { reason: this.reason.trim(), month: this.typed.trim(), pointer: months.pointer, anyway: this.anyway ?? false };
      const params = { path: { run: report.run } };
      const { reason, typed } = this;
      void this.#ask((client) =>
        action === "accept" ? client.POST("/v1/operations/runs/{run}/accept", { params, body }) : client.POST("/v1/operations/runs/{run}/rollback", { params, body }),
      ).then((ticket) => {
        if (ticket?.answer?.["error"] !== "RunSuperseded") return;
        this.#look(report.run, false);
        Object.assign(this, { reason, typed, anyway: false });
      });
    };
    return html`<section class="panel">
      <h2>${said.decision}</h2>
      <form @submit=${decide}>
        <label>${said.reason}<textarea name="reason" rows="3" maxlength="1000" required .value=${this.reason} @input=${(event: Event) => (this.reason = (event.target as HTMLTextAreaElement).value)}></textarea></label>
        <label>${fill(said.typeMonth, { month: report.month })}<input name="month" autocomplete="off" required .value=${this.typed} @input=${(event: Event) => (this.typed = (event.target as HTMLInputElement).value)} /></label>
        ${this.anyway === null
          ? nothing
          : html`<label class="check"><input type="checkbox" name="anyway" .checked=${this.anyway} @change=${(event: Event) => (this.anyway = (event.target as HTMLInputElement).checked)} /><span>${said.anyway}</span></label>`}
        <p><button class="primary" type="submit" ?disabled=${!ready}>${said[action]}</button></p>
      </form>
      <p class="quiet small">${said.by} ${said.exact}</p>
    </section>`;
  }

  #runs(data: Shown, said: Words): TemplateResult {
    return html`<section class="panel">
      <h2>${said.runs}</h2>
      ${data.runs.items.length
        ? html`<ul class="runs">
            ${data.runs.items.map((line) => {
              const open = line.run === data.report?.run && line.preview === data.report.preview;
              return html`<li>
                <code>${line.run}</code> <span class="chip">${said.standing[line.standing]}</span>
                <span class="quiet small">${fill(said.writtenAt, { at: instant(line.written_at) })}</span>
                ${line.standing === "stopped"
                  ? nothing
                  : html`<button type="button" aria-pressed=${String(open)} aria-label="${said.look} ${line.run} ${said.standing[line.standing]}" @click=${() => this.#look(line.run, line.preview)}>${said.look}</button>`}
                <span class="files">${line.files.map((file) => fileLink(file, line.run, said))}</span>
              </li>`;
            })}
          </ul>`
        : html`<p class="quiet">${said.noRun}</p>`}
    </section>`;
  }

  #preview(data: Shown, said: Words): TemplateResult {
    const preview = async (event: SubmitEvent) => {
      event.preventDefault();
      const month = String(new FormData(event.target as HTMLFormElement).get("preview") ?? "").trim();
      const ticket = await this.#ask((client) => client.POST("/v1/operations/previews", { body: { month } }));
      if (ticket?.to_come) {
        this.tried = ticket.to_come;
        this.month = ticket.to_come.month;
        void this.reload();
      }
      const run = ticket?.answer?.["run"];
      if (typeof run === "string" && ticket?.state === "done") {
        this.month = String(ticket.answer?.["month"] ?? month);
        this.#look(run, true);
      }
    };
    return html`<section class="panel">
      <h2>${said.preview}</h2>
      <p class="quiet">${said.previewHow}</p>
      <form @submit=${preview}>
        <label>${said.previewMonth}<input name="preview" required pattern="[0-9]{4}-(0[1-9]|1[0-2])" .value=${(data.month ?? data.toCome)?.month ?? ""} autocomplete="off" /></label>
        <p><button type="submit" ?disabled=${this.working}>${said.previewAsk}</button></p>
      </form>
    </section>`;
  }

  #workbook(data: Shown, said: Words): TemplateResult {
    const check = () => void this.#ask((client) => client.POST("/v1/operations/checks", { body: {} }));
    return html`<section class="panel">
        <p><button type="button" class="primary" ?disabled=${this.working} @click=${check}>${said.checkAsk}</button></p>
        ${data.months.upload
          ? html`<form @submit=${(event: SubmitEvent) => this.#upload(event, data.workbook.stored?.etag ?? null)}>
              ${data.workbook.stored ? html`<p class="quiet small">${fill(said.stored, { at: instant(data.workbook.stored.at), by: data.workbook.stored.by ?? "–" })}</p>` : nothing}
              <label>${said.upload}<input type="file" name="workbook" accept=".xlsx" required /></label>
              <p><button type="submit" ?disabled=${this.working}>${said.uploadAsk}</button></p>
            </form>`
          : nothing}
      </section>
      ${faults(data.workbook, said, this.language)} ${changes(data.workbook.changes, said.changes, said, this.language)}
      ${data.workbook.changes.some((change) => change.takes_away) ? this.#takeAway(data, said) : nothing}`;
  }

  /** Changes that take something away wait for the next month, or until somebody confirms them. */
  #takeAway(data: Shown, said: Words): TemplateResult {
    const ready = this.reason.trim() !== "" && !this.working;
    const confirm = (event: SubmitEvent) => {
      event.preventDefault();
      if (!ready) return;
      const body = { reason: this.reason.trim(), pointer: data.months.pointer, checked_at: data.workbook.at! };
      void this.#ask((client) => client.POST("/v1/operations/refresh", { body }));
    };
    return html`<section class="panel">
      <h2>${said.takeAway}</h2>
      <p>${said.takeAwayWhy}</p>
      <form @submit=${confirm}>
        <label>${said.reason}<textarea name="reason" rows="2" maxlength="1000" required .value=${this.reason} @input=${(event: Event) => (this.reason = (event.target as HTMLTextAreaElement).value)}></textarea></label>
        <p><button class="primary" type="submit" ?disabled=${!ready}>${said.takeAwayAsk}</button></p>
      </form>
    </section>`;
  }

  /** `replaces`: the file that the page showed; any other file is not overwritten. */
  async #upload(event: SubmitEvent, replaces: string | null): Promise<void> {
    event.preventDefault();
    const file = new FormData(event.target as HTMLFormElement).get("workbook");
    if (!(file instanceof File) || !file.size || file.size > LARGEST) {
      this.said = html`<p class="notice bad"><span>${words[this.language].notXlsx}</span></p>`;
      return;
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    await this.#ask((client) => client.POST("/v1/operations/workbook", { body: { content: btoa(text), replaces } }));
  }

  #choose(month: string): void {
    this.chosen = this.said = this.anyway = null;
    this.typed = this.reason = "";
    this.month = month;
  }

  #look(run: string, preview: boolean): void {
    this.chosen = { run, preview };
    this.choice = FIRST;
    this.anyway = null;
    this.typed = this.reason = "";
    void this.reload();
  }

  /** Send a request to the rating function, and wait for its result. Only one at a time. */
  async #ask(request: (client: Client) => Asked): Promise<Ticket | null> {
    if (this.working) return null;
    const said = words[this.language];
    const client = connect(this.api ?? "", () => this.token);
    this.working = true;
    this.said = null;
    try {
      let ticket = await answered(request(client));
      while (ticket.state === "asked") {
        await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
        ticket = await answered(client.GET("/v1/operations/tickets/{ticket}", { params: { path: { ticket: ticket.ticket } } }));
      }
      this.chosen = this.anyway = null;
      this.typed = this.reason = "";
      await this.reload();
      const found = ticket.answer?.["faults"];
      const faulty = Array.isArray(found) && found.some((fault) => fault.severity === "error");
      const outcome = faulty ? "faulty" : String(ticket.answer?.["outcome"] ?? "");
      const message = String(ticket.answer?.["message"] ?? "");
      const inChinese = this.language === "zh" ? ticket.answer?.["message_zh"] : null;
      this.said =
        ticket.state === "done"
          ? html`<p class="notice ${faulty ? "bad" : "good"}"><span>${fill(said.done, { outcome: said.outcome[outcome] ?? outcome })}</span></p>`
          : html`<div class="notice bad" role="alert">
              <p><b>${said.failed}${inChinese ? html`：${inChinese}` : nothing}</b></p>
              <p lang="en">${message}</p>
            </div>`;
      return ticket;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const [title, advice] = this.texts.refused[error.status] ?? this.texts.refused[500]!;
      const problem = error.problem;
      this.said = html`<div class="notice bad" role="alert">
        <p><b>${problem ? (this.language === "zh" ? problem.title_zh : problem.title) : title}</b></p>
        <p>${problem ? (this.language === "zh" ? problem.detail_zh : problem.detail) : advice}</p>
        <p><button type="button" @click=${() => this.#again()}>${said.reloadPage}</button></p>
      </div>`;
      return null;
    } finally {
      this.working = false;
    }
  }

  #again(): void {
    this.chosen = this.said = null;
    void this.reload();
  }
}

function fileLink(file: Runs["items"][number]["files"][number], run: string, said: Words): TemplateResult | typeof nothing {
  const link = reachable(file.link);
  return link ? html`<a href=${link} target="_blank" rel="noopener noreferrer">${said.file[file.name] ?? file.name}<span class="hidden"> ${run}</span></a>` : nothing;
}

/** Null for a report that is no longer kept. Any other refusal is thrown again. */
function gone(error: unknown): null {
  if (error instanceof Refused && error.status === 404) return null;
  throw error;
}

function defaultRun(month: MonthState): Chosen | null {
  const run = (month.state === "held" ? month.held[0] : month.valid?.run) ?? month.held[0];
  return run ? { run, preview: false } : null;
}

/** The months that the workbook prepares, latest first. The last preview replaces the entry of its month. */
function monthsToCome(workbook: Workbook, tried: MonthToCome | null): MonthToCome[] {
  const others = workbook.prepared.filter((one) => one.month !== tried?.month);
  return (tried ? [tried, ...others] : others).sort((a, b) => (a.month < b.month ? 1 : -1));
}

function preparedWhy(toCome: MonthToCome, said: Words): string {
  return fill(said.preparedWhy, { measured: toCome.measured_month, up: amount(toCome.moves["up"] ?? 0), down: amount(toCome.moves["down"] ?? 0) });
}
