import { readOrMakeToken, tokenFileOf } from "../config/token.ts";
import type { Settings } from "../config/setting.ts";
import { BucardoError } from "../model/error.ts";
import { keyfileOf } from "../operations/connect-options.ts";
import type { Served, ServeHttp, Serving } from "../operations/serving.ts";
import { decideServing, type HttpSettings } from "./decide.ts";
import { Server } from "./server.ts";

/** Serves as the settings say, from their first reading to the end; follows them when they change. */
export const serveHttp: ServeHttp = async (served, settings) => {
  const place = new Place(served);
  await place.settings(settings);
  return place;
};

class Place implements Serving {
  readonly #served: Served;
  #server: Server | null = null;
  #as = "";
  /** One change after the other. */
  #turn: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(served: Served) {
    this.#served = served;
  }

  get url(): string | null {
    return this.#server?.url ?? null;
  }

  settings(now: Settings): Promise<void> {
    this.#turn = this.#turn.then(() => this.#follow(now)).catch((error: unknown) => this.#tell(error));
    return this.#turn;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    await this.#turn;
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = null;
  }

  async #follow({ http, http_certificate, http_key, http_insecure, http_hosts }: Settings): Promise<void> {
    const wanted: HttpSettings = { http, http_certificate, http_key, http_insecure, http_hosts };
    const as = JSON.stringify(wanted);
    if (as === this.#as || this.#ended) return;
    this.#as = as;
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = null;
    const decision = decideServing(wanted);
    const { log } = this.#served;
    if (decision.kind === "off") return;
    if (decision.kind === "refused") return log.warn(`Nothing is served over HTTP: ${decision.why}.`);
    const tokenFile = tokenFileOf(keyfileOf(this.#served.config, this.#served.env));
    readOrMakeToken(tokenFile);
    this.#server = await Server.listen(this.#served, decision, tokenFile);
    log.info(`Serving at ${this.#server.url}.`);
    if (decision.readsNeedToken && decision.tls === null)
      log.warn("It is served beyond this machine without a certificate (http_insecure).");
  }

  /** Whatever happens here, the daemon goes on. */
  #tell(error: unknown): void {
    const { code, syscall } = error as NodeJS.ErrnoException;
    const why =
      error instanceof BucardoError
        ? `${error.message}. ${error.advice}`
        : code === "EADDRINUSE"
          ? "the address is taken. Choose another one with the setting http, or http=off."
          : `${syscall ?? "it"} failed (${code ?? String(error)}).`;
    this.#served.log.warn(`Nothing is served over HTTP: ${why}`);
  }
}
