/** The look that all elements share. Pages change it with the variables `--mcn-*` (docs/pages.en.md). */

import { css } from "lit";

export const look = css`
  :host {
    --accent: var(--mcn-accent, #1f5fd0);
    --on-accent: var(--mcn-on-accent, #ffffff);
    --accent-soft: var(--mcn-accent-soft, #e9f0fd);
    --surface: var(--mcn-surface, #ffffff);
    --text: var(--mcn-text, #142030);
    --quiet: var(--mcn-quiet, #526072);
    --line: var(--mcn-line, #dde3ec);
    --track: var(--mcn-track, #dfe5ee);
    --good: var(--mcn-good, #0d6b3e);
    --good-soft: var(--mcn-good-soft, #e4f4eb);
    --bad: var(--mcn-bad, #a4172a);
    --bad-soft: var(--mcn-bad-soft, #fdebed);
    --warn: var(--mcn-warn, #744700);
    --warn-soft: var(--mcn-warn-soft, #fff2da);
    --radius: var(--mcn-radius, 14px);
    display: block;
    container-type: inline-size;
    color: var(--text);
    font: 15px/1.55 var(--mcn-font, -apple-system, "Segoe UI", "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", system-ui, sans-serif);
    -webkit-text-size-adjust: 100%;
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --accent: var(--mcn-accent, #79a8ff);
      --on-accent: var(--mcn-on-accent, #0b1629);
      --accent-soft: var(--mcn-accent-soft, #1d2d4d);
      --surface: var(--mcn-surface, #172031);
      --text: var(--mcn-text, #e9eef6);
      --quiet: var(--mcn-quiet, #a7b4c6);
      --line: var(--mcn-line, #2c384c);
      --track: var(--mcn-track, #334056);
      --good: var(--mcn-good, #63d69b);
      --good-soft: var(--mcn-good-soft, #14342a);
      --bad: var(--mcn-bad, #ff929c);
      --bad-soft: var(--mcn-bad-soft, #431b24);
      --warn: var(--mcn-warn, #f2c168);
      --warn-soft: var(--mcn-warn-soft, #3b2d12);
    }
  }
  :host([hidden]), [hidden] { display: none !important; }
  * { box-sizing: border-box; }
  h1, h2, h3, p, ul, dl, dd, figure { margin: 0; }
  h1 { font-size: 1.5rem; line-height: 1.3; overflow-wrap: anywhere; }
  h2 { font-size: 1.1rem; line-height: 1.4; }
  h3 { font-size: 1rem; line-height: 1.4; }
  h2 small, h3 small { font-size: 0.85rem; font-weight: 400; color: var(--quiet); margin-left: 0.4em; }
  ul { padding: 0; list-style: none; }
  a { color: var(--accent); text-underline-offset: 3px; }
  code { font: 0.85em ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
  :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
  .sheet { display: grid; gap: 14px; grid-template-columns: minmax(0, 1fr); }
  .panel { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); padding: 20px; display: grid; grid-template-columns: minmax(0, 1fr); gap: 14px; align-content: start; min-width: 0; }
  .two { display: grid; grid-template-columns: minmax(0, 1fr); gap: 14px; }
  .quiet { color: var(--quiet); }
  .small { font-size: 0.86rem; }
  .good { color: var(--good); }
  .bad { color: var(--bad); }
  .warn { color: var(--warn); }
  .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
  .chip { display: inline-flex; align-items: center; gap: 0.35em; padding: 2px 10px; border-radius: 999px; border: 1px solid currentColor; font-size: 0.84rem; line-height: 1.5; white-space: nowrap; }
  .chip.good { background: var(--good-soft); }
  .chip.bad { background: var(--bad-soft); }
  .chip.warn { background: var(--warn-soft); }
  .chip.accent { color: var(--accent); background: var(--accent-soft); }
  .notice { display: grid; gap: 8px; border-radius: var(--radius); padding: 12px 16px; border: 1px solid currentColor; }
  .notice.warn { background: var(--warn-soft); }
  .notice.bad { background: var(--bad-soft); }
  .notice.good { background: var(--good-soft); }
  .notice > * { color: var(--text); }
  .badge { display: grid; place-items: center; place-content: center; width: 76px; height: 76px; border-radius: 22px; background: var(--accent); color: var(--on-accent); line-height: 1; flex: none; }
  .badge b { font-size: 2.1rem; font-variant-numeric: lining-nums; }
  .badge span { font-size: 0.74rem; margin-top: 4px; }
  .badge.none { background: var(--track); color: var(--text); }
  .scroll { overflow-x: auto; overscroll-behavior-x: contain; border-radius: 6px; }
  table { border-collapse: collapse; width: 100%; font-size: 0.93rem; }
  th, td { padding: 8px 10px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
  tbody tr:last-child > * { border-bottom: 0; }
  thead th { color: var(--quiet); font-weight: 500; font-size: 0.86rem; vertical-align: bottom; }
  th[scope="row"] { font-weight: 600; }
  th.number, td.number { text-align: right; }
  .line { white-space: nowrap; }
  tbody th[scope="row"] { min-width: 5.5em; }
  button { font: inherit; color: var(--accent); background: var(--surface); border: 1px solid var(--accent); border-radius: 10px; padding: 8px 16px; min-height: 42px; cursor: pointer; }
  button.primary { background: var(--accent); color: var(--on-accent); font-weight: 600; }
  button:disabled { opacity: 1; color: var(--quiet); background: var(--track); border-color: var(--track); cursor: not-allowed; }
  svg { display: block; max-width: 100%; }
  svg text { font: 12px var(--mcn-font, "PingFang SC", "Noto Sans CJK SC", system-ui, sans-serif); fill: var(--quiet); }
  .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  .foot { display: flex; flex-wrap: wrap; gap: 4px 18px; color: var(--quiet); font-size: 0.84rem; }
  @container (min-width: 760px) {
    .two { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); align-items: start; }
    .past { grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); }
  }
  @container (max-width: 480px) {
    .panel { padding: 16px; }
    .badge { width: 60px; height: 60px; border-radius: 18px; }
    .badge b { font-size: 1.7rem; }
    h1 { font-size: 1.25rem; }
  }
`;
