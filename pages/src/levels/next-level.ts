import { css, html, nothing, type TemplateResult } from "lit";
import type { OwnView } from "../api/client";
import { ring } from "../drawing/ring";
import { fill } from "../language";
import { amount, percent } from "../show";
import type { Names } from "./names";

type Next = NonNullable<OwnView["next_level"]>;

export const channelStyle = css`
  .channel { border: 1px solid var(--line); border-radius: calc(var(--radius) - 3px); padding: 14px; display: grid; gap: 10px; min-width: 0; }
  .channel.nearest { border: 2px solid var(--accent); padding: 13px; }
  .channel h3 { display: flex; gap: 8px; align-items: center; flex-wrap: wrap; }
  .gaps { display: grid; gap: 10px; }
  .gaps li { display: flex; gap: 14px; align-items: center; }
  .gaps .ring { flex: none; }
  .gaps .share { font-weight: 700; font-size: 13px; fill: var(--text); }
  .gaps div { min-width: 0; overflow-wrap: anywhere; }
  .gaps b { display: block; }
`;

/** The gaps to the next level: each of its channels as a card, the nearest one marked. */
export function nextLevel(next: Next, names: Names): TemplateResult {
  const words = names.words;
  return html`<section class="panel">
    <h2>${fill(words.next, { level: names.level(next.level) })} <small>${words.anyOne}</small></h2>
    ${next.channels.map((channel) => {
      const nearest = channel.channel === next.nearest_channel;
      return html`<div class="channel ${nearest ? "nearest" : ""}">
        <h3>
          ${fill(words.channel, { number: channel.channel })}
          ${nearest ? html`<span class="chip accent">${words.nearest}</span>` : nothing}
          <span class="quiet small">${percent(channel.progress)}</span>
        </h3>
        <ul class="gaps">
          ${channel.gaps.map((gap) => {
            const met = gap.progress >= 1;
            return html`<li>
              ${ring(gap.progress, met)}
              <div>
                <span>${names.metric(gap.metric)}</span>
                <b class=${met ? "good" : ""}>${met ? `✓ ${words.met}` : fill(words.missing, { amount: names.measured(gap.metric, gap.missing) })}</b>
                <span class="quiet small">${amount(gap.actual)} / ${amount(gap.required)}</span>
              </div>
            </li>`;
          })}
        </ul>
      </div>`;
    })}
  </section>`;
}
