/** Sign-in with OpenID Connect (code and PKCE). Tokens stay in memory; session storage has what the redirect needs. */

import { InMemoryWebStorage, UserManager, WebStorageStateStore, type User } from "oidc-client-ts";

/** /config.json: the issuer, the client, and the claim with the agency's id. */
export interface Config {
  readonly issuer: string;
  readonly client_id: string;
  readonly scope: string;
  readonly agency_claim: string;
}

interface Place {
  readonly search: string;
  readonly hash: string;
}

export class Session {
  readonly #manager: UserManager;
  readonly #config: Config;
  #user: User | null = null;

  constructor(config: Config) {
    this.#config = config;
    this.#manager = new UserManager({
      authority: config.issuer,
      client_id: config.client_id,
      scope: config.scope,
      redirect_uri: location.origin + location.pathname,
      response_type: "code",
      automaticSilentRenew: false,
      userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
      stateStore: new WebStorageStateStore({ store: sessionStorage }),
    });
  }

  /** True if signed in, false while redirecting to the issuer. A code in the address is exchanged and removed from it. */
  async begin(): Promise<boolean> {
    const query = new URLSearchParams(location.search);
    if (!query.has("state") || !(query.has("code") || query.has("error"))) {
      await this.renew();
      return false;
    }
    try {
      this.#user = await this.#manager.signinCallback() ?? null;
    } finally {
      const place = this.#user?.state as Place | undefined;
      history.replaceState(null, "", location.pathname + (place?.search ?? "") + (place?.hash ?? ""));
    }
    return this.#user !== null;
  }

  /** Redirect to the issuer and back to the same page. `again`: the issuer asks who it is, even if it knows. */
  async renew(again = false): Promise<void> {
    const state: Place = { search: location.search, hash: location.hash };
    await this.#manager.signinRedirect({ state, ...(again ? { prompt: "login" } : {}) });
  }

  /** The current access token; null if it has expired. */
  readonly token = (): string | null => (this.#user && !this.#user.expired ? this.#user.access_token : null);

  get name(): string {
    const profile = this.#user?.profile;
    return String(profile?.name ?? profile?.email ?? profile?.sub ?? "");
  }

  get agency(): string | null {
    const claimed = this.#user?.profile[this.#config.agency_claim];
    return typeof claimed === "string" && claimed !== "*" ? claimed : null;
  }

  may(scope: string): boolean {
    return (this.#user?.scope ?? this.#config.scope).split(" ").includes(scope);
  }
}

export async function readConfig(): Promise<Config> {
  const answer = await fetch("/config.json", { cache: "no-cache" });
  if (!answer.ok) throw new Error(`/config.json: ${answer.status}`);
  return (await answer.json()) as Config;
}
