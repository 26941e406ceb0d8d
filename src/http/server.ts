import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { TokenWatch } from "../config/token.ts";
import { showHttpAddress } from "../config/http-address.ts";
import type { Served } from "../operations/serving.ts";
import { answer, type Rules } from "./answer.ts";
import { Api } from "./api.ts";
import { readCertificate, type Decision } from "./decide.ts";
import { Hub } from "./hub.ts";
import { limits } from "./limits.ts";
import { Rate } from "./rate.ts";
import { routesOf } from "./routes.ts";

const GOODBYE_MS = 2000;

const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** One listening server with all that stands behind it. */
export class Server implements AsyncDisposable {
  readonly #http: HttpServer;
  readonly #hub: Hub;
  readonly #api: Api;
  readonly url: string;

  private constructor(http: HttpServer, hub: Hub, api: Api, url: string) {
    this.#http = http;
    this.#hub = hub;
    this.#api = api;
    this.url = url;
  }

  /** Errors: those of listening (EADDRINUSE and others) and of reading the certificate. */
  static async listen(served: Served, how: Extract<Decision, { kind: "serve" }>, tokenFile: string): Promise<Server> {
    const hub = new Hub(served);
    const api = new Api(served, hub.board);
    const answers = new Map<string, number>();
    const rules: Rules = {
      names: how.names,
      readsNeedToken: how.readsNeedToken,
      token: new TokenWatch(tokenFile),
      rate: new Rate(limits.burst, limits.perSecond),
      routeOf: routesOf({ served, hub, api, answers, readsNeedToken: how.readsNeedToken }),
      onMistake: (error) => served.log.error({ err: error }, "A request met an error that nobody expected; please report it."),
    };
    const options = {
      maxHeaderSize: limits.headers,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
    };
    const http =
      how.tls === null ? createServer(options) : createTlsServer({ ...options, ...readCertificate(how.tls), minVersion: "TLSv1.2" });
    http.maxConnections = limits.connections;
    http.on("request", (request, response) => {
      response.on("close", () => count(answers, response.statusCode));
      void answer(request, response, rules);
    });
    http.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      // What is no HTTP is answered in a word and cut.
      const line = REFUSALS[error.code ?? ""] ?? "400 Bad Request";
      count(answers, Number(line.slice(0, 3)));
      if (socket.writable) socket.end(`HTTP/1.1 ${line}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      else socket.destroy();
    });
    http.listen(how.port, how.host);
    await once(http, "listening");
    // Later ones (out of file descriptors) end nothing: it goes on listening.
    http.on("error", (error) => served.log.warn({ err: error }, "The HTTP server met an error and goes on."));
    const { port } = http.address() as AddressInfo;
    return new Server(http, hub, api, `http${how.tls === null ? "" : "s"}://${showHttpAddress({ host: how.host, port })}`);
  }

  /** Listeners are told, operations are stopped and waited for, then every connection is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    await this.#hub[Symbol.asyncDispose]();
    await this.#api[Symbol.asyncDispose]();
    this.#http.closeIdleConnections();
    const timer = setTimeout(() => this.#http.closeAllConnections(), GOODBYE_MS);
    await closed;
    clearTimeout(timer);
  }
}

function count(answers: Map<string, number>, status: number): void {
  const name = `${Math.floor(status / 100)}xx`;
  answers.set(name, (answers.get(name) ?? 0) + 1);
}
