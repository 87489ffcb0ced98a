/** The site around the elements: sign-in, language, and which of them this visitor sees. */

import { html, nothing, render, type TemplateResult } from "lit";
import { readConfig, Session } from "./site/sign-in";
import type { Language } from "./language";

const words = {
  zh: {
    title: "机构等级",
    level: "我的等级",
    ladder: "等级与权益",
    directory: "各级机构",
    console: "运营台",
    other: "English",
    leave: "切换账号",
    views: "页面",
    failed: "无法登录",
    again: "重新登录",
    noAgency: "当前账号不属于任何机构。",
  },
  en: {
    title: "Agency levels",
    level: "My level",
    ladder: "Levels and benefits",
    directory: "Agencies",
    console: "Console",
    other: "中文",
    leave: "Switch account",
    views: "Pages",
    failed: "Sign-in did not work",
    again: "Sign in again",
    noAgency: "This account belongs to no agency.",
  },
} as const;

type View = "level" | "ladder" | "directory" | "console";

const atConsole = location.pathname.replace(/\.html$/, "").endsWith("/console");
let session: Session | null = null;

function language(): Language {
  const chosen = new URLSearchParams(location.search).get("lang") ?? localStorage.getItem("mcn-language") ?? navigator.language;
  return chosen.toLowerCase().startsWith("zh") ? "zh" : "en";
}

function choose(other: Language): void {
  localStorage.setItem("mcn-language", other);
  const query = new URLSearchParams(location.search);
  query.delete("lang");
  history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
  show();
}

function asked(): { agency: string | null; month: string | null } {
  const query = new URLSearchParams(location.search);
  return { agency: query.get("agency"), month: query.get("month") };
}

function views(signedIn: Session): View[] {
  if (atConsole) return ["console"];
  const agency = signedIn.agency ?? (signedIn.may("levels.agency.any") ? asked().agency : null);
  const all: View[] = agency ? ["level", "ladder"] : ["directory", "ladder"];
  return signedIn.may("levels.operate") ? [...all, "console"] : all;
}

function show(): void {
  const spoken = language();
  const said = words[spoken];
  document.documentElement.lang = spoken === "zh" ? "zh-CN" : "en";
  document.title = said.title;
  if (!session) return;
  const offered = views(session);
  const view = offered.find((one) => `#${one}` === location.hash) ?? offered[0]!;
  render(
    html`<header class="top">
        <a class="brand" href="/"><img src="/icon.svg" alt="" width="28" height="28" />${said.title}</a>
        ${offered.length > 1
          ? html`<nav class="tabs" aria-label=${said.views}>
              ${offered.map((one) => html`<a href=${one === "console" ? "/console" : `#${one}`} aria-current=${one === view ? "page" : nothing}>${said[one]}</a>`)}
            </nav>`
          : nothing}
        <div class="who">
          <span>${session.name}</span>
          <button type="button" @click=${() => session?.renew(true)}>${said.leave}</button>
          <button type="button" lang=${spoken === "zh" ? "en" : "zh"} @click=${() => choose(spoken === "zh" ? "en" : "zh")}>${said.other}</button>
        </div>
      </header>
      <main @mcn-refused=${refused}>${element(view, session, spoken)}</main>`,
    document.body,
  );
}

function element(view: View, signedIn: Session, spoken: Language): TemplateResult {
  const { agency, month } = asked();
  const token = signedIn.token;
  switch (view) {
    case "level": {
      const own = signedIn.agency ?? agency;
      return html`<mcn-level lang=${spoken} agency=${own ?? nothing} month=${month ?? nothing} .token=${token}></mcn-level>`;
    }
    case "ladder":
      return html`<mcn-ladder lang=${spoken} month=${month ?? nothing} .token=${token}></mcn-ladder>`;
    case "directory":
      return html`<mcn-directory lang=${spoken} agency=${agency ?? nothing} month=${month ?? nothing} .token=${token}></mcn-directory>`;
    case "console":
      return html`<mcn-console lang=${spoken} .token=${token}></mcn-console>`;
  }
}

/** A token that has run out is renewed once per visit; a refusal right after that is shown. */
function refused(event: CustomEvent<{ status: number }>): void {
  if (event.detail.status === 401 && session && session.token() === null) void session.renew();
}

function failed(error: unknown): void {
  const said = words[language()];
  render(
    html`<main>
      <section class="message" role="alert">
        <h1>${said.failed}</h1>
        <p>${error instanceof Error ? error.message : String(error)}</p>
        <p><a href=${location.pathname}>${said.again}</a></p>
      </section>
    </main>`,
    document.body,
  );
}

async function start(): Promise<void> {
  show();
  const starting = new Session(await readConfig());
  if (!(await starting.begin())) return;
  await (atConsole ? import("./console") : import("./levels"));
  session = starting;
  addEventListener("hashchange", show);
  show();
}

start().catch(failed);
