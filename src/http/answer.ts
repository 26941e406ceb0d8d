import type { IncomingMessage, ServerResponse } from "node:http";
import { BucardoError } from "../model/error.ts";
import type { TokenWatch } from "../config/token.ts";
import { errorView, HttpFailure, statusOf } from "./failure.ts";
import { bearerOf, refuseForeign, tokenNeeded } from "./guard.ts";
import { everywhere } from "./headers.ts";
import { isPagePath } from "./page-files.ts";
import type { Rate } from "./rate.ts";
import { json, readBody, type Ask, type Reply } from "./request.ts";

/** What a route needs: `open`: nothing; `read`: the token where reading is not free; the operations decide for themselves beyond that. */
export type Route = {
  readonly needs: "open" | "read";
  /** null: it has answered by itself, or does so for as long as it takes. */
  readonly run: (ask: Ask, response: ServerResponse) => Promise<Reply | null>;
};

export type Rules = {
  readonly names: readonly string[];
  readonly readsNeedToken: boolean;
  readonly token: Pick<TokenWatch, "accepts">;
  readonly rate: Pick<Rate, "take">;
  readonly routeOf: (path: string) => Route | null;
  /** A mistake of ours. */
  readonly onMistake: (error: unknown) => void;
};

/** Answers one request, whatever comes: checks where it comes from, then the token, then asks the route. Never rejects. */
export async function answer(request: IncomingMessage, response: ServerResponse, rules: Rules): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort(new BucardoError("interrupted", "who asked is gone")));
  let reply: Reply | null;
  try {
    reply = await replyTo(request, response, rules, gone.signal);
  } catch (error) {
    reply = failureReply(error);
    if (reply.status >= 500 && !(error instanceof BucardoError)) rules.onMistake(error);
  }
  if (reply === null || response.headersSent || response.destroyed) return;
  // Whatever of the body was not read is not read any more.
  const unread = request.method === "POST" && !request.complete ? { connection: "close" } : {};
  response.writeHead(reply.status, { ...everywhere, "content-type": reply.type, ...reply.headers, ...unread });
  response.end(request.method === "HEAD" || reply.status === 304 ? undefined : reply.body);
}

async function replyTo(request: IncomingMessage, response: ServerResponse, rules: Rules, signal: AbortSignal): Promise<Reply | null> {
  const { path, query } = locate(request.url ?? "/");
  const method = methodOf(request.method ?? "");
  refuseForeign({ method, headers: request.headers, forPage: isPagePath(path) }, rules.names);
  if (!rules.rate.take()) throw new HttpFailure(429, "http-busy", "Too many requests.", { headers: { "retry-after": "1" } });
  const route = rules.routeOf(path);
  if (route === null) throw new HttpFailure(404, "http-unknown", "There is nothing here.");
  const token = bearerOf(request.headers);
  const authorized = token !== null && rules.token.accepts(token);
  // A wrong token is told even where none is needed: whoever sent it believes to be let in.
  if (token !== null && !authorized && path !== "/api/v1/site") throw tokenNeeded("That is not the token.");
  if (route.needs === "read" && rules.readsNeedToken && !authorized) throw tokenNeeded("Whoever is not on this machine needs the token.");
  const ask: Ask = { method, path, query, authorized, body: () => readBody(request), signal };
  return await route.run(ask, response);
}

function methodOf(method: string): "GET" | "POST" {
  if (method === "GET" || method === "HEAD") return "GET";
  if (method === "POST") return "POST";
  throw new HttpFailure(405, "http-refused", "Only GET, HEAD and POST are understood.", { headers: { allow: "GET, HEAD, POST" } });
}

/** As it was sent, without any meaning of `..` or `%`: no path of ours has them. */
function locate(url: string): { path: string; query: URLSearchParams } {
  const mark = url.indexOf("?");
  return { path: mark === -1 ? url : url.slice(0, mark), query: new URLSearchParams(mark === -1 ? "" : url.slice(mark + 1)) };
}

function failureReply(error: unknown): Reply {
  const reply = json(statusOf(error), { ok: false, error: errorView(error) });
  return error instanceof HttpFailure ? { ...reply, headers: error.headers } : reply;
}
