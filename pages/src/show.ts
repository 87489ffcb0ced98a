/** How values of the API are shown. The API computes all values; nothing is computed here. */

import type { Amount } from "./api/client";

/** A count or yuan text with separators: 1234567.80 as 1,234,567.80; yuan without fen lose their two zeros. */
export function amount(value: Amount): string {
  const [whole, fraction] = String(value).split(".") as [string, string?];
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction && fraction !== "00" ? `${grouped}.${fraction}` : grouped;
}

/** A share as whole percent, rounded down: only a threshold that is met shows 100. */
export function percent(share: number): string {
  if (share >= 1) return "100%";
  const digits = share.toFixed(9); // 0.29 * 100 would be 28.999…
  return digits.startsWith("1") ? "99%" : `${Number(digits.slice(2, 4))}%`;
}

/** A share as percent with up to two decimals, rounded: for guardrails, their limit and value. */
export function share(value: number | string): string {
  const number = Number(value);
  const text = (number * 100).toFixed(2).replace(/\.?0+$/, "");
  return text === "100" && number < 1 ? "99.99%" : `${text}%`;
}

/** An instant to the minute, in the time zone in which the API writes it. */
export function instant(text: string): string {
  return `${text.slice(0, 10)} ${text.slice(11, 16)}`;
}

/** The address of a file if a link to it is safe: https, or this machine if it also serves the page. */
export function reachable(address: string): string | null {
  const local = location.hostname === "127.0.0.1" && URL.canParse(address) && new URL(address).hostname === "127.0.0.1";
  return local ? address : https(address);
}

/** The address if it is safe to link or to show: https only. */
export function https(address: string | null | undefined): string | null {
  return address && URL.canParse(address) && new URL(address).protocol === "https:" ? address : null;
}
