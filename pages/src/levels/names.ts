import type { Amount, Ladder } from "../api/client";
import { amount } from "../show";
import type { Texts } from "./texts";

/** The names of levels and metrics in the month that is shown, and the page's own words. */
export class Names {
  readonly levels: Ladder["levels"];
  readonly #metrics: Map<string, Ladder["metrics"][number]>;

  constructor(
    ladder: Ladder,
    readonly words: Texts,
  ) {
    this.levels = ladder.levels;
    this.#metrics = new Map(ladder.metrics.map((metric) => [metric.metric, metric]));
  }

  level(level: number | null): string {
    if (level === null) return this.words.unrated;
    return `${level} ${this.levels.find((one) => one.level === level)?.name ?? ""}`.trim();
  }

  metric(key: string): string {
    return this.#metrics.get(key)?.name ?? key;
  }

  /** An amount of a metric with its unit. */
  measured(key: string, value: Amount): string {
    return `${amount(value)} ${this.#metrics.get(key)?.unit ?? ""}`.trim();
  }
}
