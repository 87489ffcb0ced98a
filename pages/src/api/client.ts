/** The client of the API: typed by the OpenAPI description; it gets the token again for each request. */

import createClient from "openapi-fetch";
import type { components, paths as Operations } from "./operations";
import type { paths as Levels } from "./schema";

type paths = Levels & Operations;

/** A token, or a function that returns the current one. Kept in memory only, never in an attribute, address or storage. */
export type Token = string | (() => string | null | Promise<string | null>) | null;

export type Client = ReturnType<typeof connect>;

/** The answer of a GET, with the type of the OpenAPI description. */
export type Answer<Path extends keyof paths> = paths[Path] extends {
  get: { responses: { 200: { content: { "application/json": infer Content } } } };
}
  ? Content
  : never;

export type OwnView = Answer<"/v1/agencies/{agency_id}/level">;
export type Ladder = Answer<"/v1/levels">;
export type Catalogue = Answer<"/v1/benefits">;
export type History = Answer<"/v1/agencies/{agency_id}/history">;
export type Slots = Answer<"/v1/agencies/{agency_id}/binding-slots">;
export type Card = Answer<"/v1/agencies/{agency_id}">;
export type Directory = Answer<"/v1/agencies">;
export type Publication = Answer<"/v1/publication">;
export type Months = Answer<"/v1/operations/months">;
export type MonthState = Months["items"][number];
export type Runs = Answer<"/v1/operations/runs">;
export type Report = components["schemas"]["Report"];
export type Ledger = Answer<"/v1/operations/ledger">;
export type Workbook = Answer<"/v1/operations/workbook">;
export type MonthToCome = Workbook["prepared"][number];
export type Ticket = components["schemas"]["TicketAnswer"];
export type Amount = number | string;

/** A refusal by the API (RFC 9457), in both languages. */
export interface Problem {
  readonly title: string;
  readonly title_zh: string;
  readonly detail: string;
  readonly detail_zh: string;
}

/** Why there is no answer. `status` 0: the network failed. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem | null = null,
    readonly requestId: string | null = null,
  ) {
    super(`${status} ${problem?.title ?? ""}`);
  }
}

/** A client of the API at an address ("" is the page's own). Every request checks whether the browser's copy is up to date. */
export function connect(address: string, token: () => Token) {
  const client = createClient<paths>({ baseUrl: address, cache: "no-cache", redirect: "error" });
  client.use({
    async onRequest({ request }) {
      const held = token();
      const text = typeof held === "function" ? await held() : held;
      if (text) request.headers.set("Authorization", `Bearer ${text}`);
    },
  });
  return client;
}

/** The data of an answer. Throws Refused. */
export async function answered<Data>(
  request: Promise<{ data?: Data; error?: unknown; response: Response }>,
): Promise<Data> {
  let answer;
  try {
    answer = await request;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused(0);
  }
  if (answer.data !== undefined && answer.response.ok) return answer.data;
  const problem = isProblem(answer.error) ? answer.error : null;
  throw new Refused(answer.response.status, problem, answer.response.headers.get("x-request-id"));
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "detail" in body && "detail_zh" in body;
}
