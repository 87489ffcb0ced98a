import { html, nothing, type TemplateResult } from "lit";
import type { Ledger, Workbook } from "../api/client";
import type { Language } from "../language";
import { fill } from "../language";
import { https, instant } from "../show";
import type { Words } from "./texts";

function cell(one: { tab: string; cell: string; link?: string | null }): TemplateResult {
  const link = https(one.link);
  const name = one.cell ? `${one.tab}!${one.cell}` : one.tab;
  return link ? html`<a href=${link} target="_blank" rel="noopener noreferrer"><code>${name}</code></a>` : html`<code>${name}</code>`;
}

export function faults(found: Workbook, words: Words, language: Language): TemplateResult {
  return html`<section class="panel">
    <h2 id="faults">${words.faults}</h2>
    <p class="quiet small">${found.at ? fill(words.checkedAt, { at: instant(found.at) }) : words.never}</p>
    ${found.faults.length
      ? html`<div class="scroll" tabindex="0" role="group" aria-labelledby="faults">
          <table class="wide">
            <thead>
              <tr><th scope="col">${words.cell}</th><th scope="col">${words.found}</th><th scope="col">${words.expected}</th><th scope="col">${words.fix}</th></tr>
            </thead>
            <tbody>
              ${found.faults.map(
                (fault) => html`<tr>
                  <th scope="row">${cell(fault)}<br /><span class="chip ${fault.severity === "error" ? "bad" : "warn"}">${fault.severity === "error" ? words.error : words.warning}</span></th>
                  <td>${fault.found}</td><td>${fault.expected[language]}</td><td>${fault.fix[language]}</td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>`
      : html`<p class="good">✓ ${words.clean}</p>`}
    ${found.unshown_faults ? html`<p class="quiet">+ ${found.unshown_faults}</p>` : nothing}
  </section>`;
}

export function changes(found: Workbook["changes"], title: string, words: Words, language: Language): TemplateResult {
  return html`<section class="panel">
    <h2 id="changes">${title}</h2>
    ${found.length
      ? html`<div class="scroll" tabindex="0" role="group" aria-labelledby="changes">
          <table class="wide">
            <thead>
              <tr><th scope="col">${words.cell}</th><th scope="col">${words.what}</th><th scope="col">${words.old}</th><th scope="col">${words.new}</th><th scope="col">${words.when}</th></tr>
            </thead>
            <tbody>
              ${found.map(
                (change) => html`<tr>
                  <th scope="row">${cell(change)}</th>
                  <td>${change.what[language]} ${change.takes_away ? html`<span class="chip bad">${words.takesAway}</span>` : nothing}</td>
                  <td>${change.old ?? "–"}</td><td><b>${change.new ?? "–"}</b></td><td>${change.when[language]}</td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>`
      : html`<p class="quiet">${words.noChanges}</p>`}
  </section>`;
}

export function ledger(lines: Ledger["items"], words: Words, language: Language): TemplateResult {
  return html`<section class="panel">
    <h2 id="ledger">${words.ledger}</h2>
    ${lines.length
      ? html`<div class="scroll" tabindex="0" role="group" aria-labelledby="ledger">
          <table class="wide">
            <thead>
              <tr><th scope="col">${words.at}</th><th scope="col">${words.months}</th><th scope="col">${words.whatHappened}</th><th scope="col">${words.run}</th><th scope="col">${words.who}</th><th scope="col">${words.why}</th></tr>
            </thead>
            <tbody>
              ${lines.map(
                (line) => html`<tr>
                  <td class="line">${instant(line.at)}</td><td class="line">${line.month}</td>
                  <th scope="row" class="line">${words.action[line.action] ?? line.action}</th>
                  <td class="line"><code>${line.run}</code></td><td class="line">${line.by ?? words.schedule}</td><td>${line.reason ?? line.because?.[language] ?? "–"}</td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>`
      : html`<p class="quiet">${words.noLedger}</p>`}
  </section>`;
}
