/** The language of an element: its own, that of an element around it, or the browser's. */

export type Language = "zh" | "en";

/** A text in both languages. */
export interface Both {
  readonly zh: string;
  readonly en: string;
}

export function languageOf(element: Element): Language {
  const host = element.closest("[lang]") ?? rootOf(element);
  const named = host?.getAttribute("lang") || navigator.language;
  return named.toLowerCase().startsWith("zh") ? "zh" : "en";
}

function rootOf(element: Element): Element | null {
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root.host.closest("[lang]") : null;
}

/** The text with its {placeholders} filled. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}
