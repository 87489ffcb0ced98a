/** The site around the elements: sign-in, language, and the elements for this visitor. */

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
// Separate scripts, because apps embed them too.
const LEVELS = "/levels.js";
const CONSOLE = "/console.js";
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
  const all: View[] = signedIn.agency ? ["level", "ladder"] : agency ? ["level", "ladder", "directory"] : ["directory", "ladder"];
  return signedIn.may("levels.operate") ? [...all, "console"] : all;
}

function show(): void {
  const spoken = language();
  const said = words[spoken];
  document.documentElement.lang = spoken === "zh" ? "zh-CN" : "en";
  document.title = said.title;
  if (!session) return;
  const signedIn = session;
  const offered = views(signedIn);
  const view = offered.find((one) => `#${one}` === location.hash) ?? offered[0]!;
  const other: Language = spoken === "zh" ? "en" : "zh";
  const tab = (one: View) => made("a", { href: one === "console" ? "/console" : `#${one}`, ...(one === view ? { "aria-current": "page" } : {}) }, said[one]);
  const main = made("main", {}, made("h1", { class: "hidden" }, said[view]), element(view, signedIn, spoken));
  main.addEventListener("mcn-refused", refused);
  document.body.replaceChildren(
    made(
      "header",
      { class: "top" },
      made("a", { class: "brand", href: "/" }, made("img", { src: "/icon.svg", alt: "", width: "28", height: "28" }), said.title),
      ...(offered.length > 1 ? [made("nav", { class: "tabs", "aria-label": said.views }, ...offered.map(tab))] : []),
      made(
        "div",
        { class: "who" },
        made("span", {}, signedIn.name),
        button(said.leave, () => void signedIn.renew(true)),
        button(said.other, () => choose(other), other),
      ),
    ),
    main,
  );
}

function made(name: string, attributes: Record<string, string>, ...children: (Node | string)[]): HTMLElement {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}

function button(text: string, pressed: () => void, lang?: Language): HTMLElement {
  const element = made("button", { type: "button", ...(lang ? { lang } : {}) }, text);
  element.addEventListener("click", pressed);
  return element;
}

/** The element of a view. The token is set as a property, never as an attribute. */
function element(view: View, signedIn: Session, spoken: Language): HTMLElement {
  const { agency, month } = asked();
  const about = view === "level" ? (signedIn.agency ?? agency) : view === "directory" ? agency : null;
  const attributes = { lang: spoken, ...(about ? { agency: about } : {}), ...(month ? { month } : {}) };
  return Object.assign(made(`mcn-${view}`, attributes), { token: signedIn.token });
}

/** An expired token is renewed once per visit; if the API refuses again, the refusal is shown. */
function refused(event: Event): void {
  if ((event as CustomEvent<{ status: number }>).detail.status === 401 && session && session.token() === null) void session.renew();
}

function failed(error: unknown): void {
  const said = words[language()];
  const message = made(
    "section",
    { class: "message", role: "alert" },
    made("h1", {}, said.failed),
    made("p", {}, error instanceof Error ? error.message : String(error)),
    made("p", {}, made("a", { href: location.pathname }, said.again)),
  );
  document.body.replaceChildren(made("main", {}, message));
}

async function start(): Promise<void> {
  show();
  const starting = new Session(await readConfig());
  if (!(await starting.begin())) return;
  await import(/* @vite-ignore */ atConsole ? CONSOLE : LEVELS);
  session = starting;
  addEventListener("hashchange", show);
  show();
}

start().catch(failed);
