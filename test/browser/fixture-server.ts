import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type { ServerEvent, Snapshot } from "../../src/http/page-types.ts";
import { root } from "../harness/root.ts";
import { ensureBuilt } from "../harness/shared-server.ts";

/** Serves the page with made-up data, where no real daemon could show so much: 200 syncs, 10 000 tables. */
export type Fixture = AsyncDisposable & {
  readonly url: string;
  /** What was posted, newest last. */
  readonly posted: { readonly path: string; readonly body: unknown; readonly authorization: string | undefined }[];
  send(event: ServerEvent): void;
  /** The server goes away with all its connections, and comes back on the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
};

export type FixtureOptions = {
  snapshot: Snapshot;
  /** Output of an operation, by its path after api/v1/. */
  readonly answers: Readonly<Record<string, unknown>>;
  readonly token?: string;
};

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

export async function openFixture(options: FixtureOptions): Promise<Fixture> {
  await ensureBuilt();
  const streams = new Set<ServerResponse>();
  const posted: Fixture["posted"] = [];
  let server: Server | null = null;
  let port = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? "/", "http://fixture");
    if (pathname === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`id: 1\nevent: snapshot\ndata: ${JSON.stringify(options.snapshot)}\n\n`);
      streams.add(response);
      response.on("close", () => streams.delete(response));
    } else if (pathname.startsWith("/api/v1/")) await operate(request, response, pathname.slice("/api/v1/".length));
    else await file(response, pathname);
  };
  const operate = async (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> => {
    const { authorization } = request.headers;
    const send = (status: number, body: object): void =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const wantsToken = request.method === "POST" || path === "list/set-aside";
    if (wantsToken && options.token !== undefined && authorization !== `Bearer ${options.token}`)
      return send(401, {
        ok: false,
        error: { code: "token-missing", message: "The token is missing.", advice: "`bucardo http token` prints it." },
      });
    if (request.method === "POST") {
      let body = "";
      for await (const part of request) body += String(part);
      posted.push({ path, body: JSON.parse(body), authorization });
    }
    if (!(path in options.answers)) return send(404, { ok: false, error: { code: "unknown-object", message: `no ${path}`, advice: "" } });
    send(200, { ok: true, output: options.answers[path] });
  };
  const start = async (): Promise<void> => {
    server = createServer((request, response) => {
      answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  };
  const stop = async (): Promise<void> => {
    const closed = server;
    server = null;
    if (closed === null) return;
    closed.close();
    closed.closeAllConnections();
    await once(closed, "close");
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}/`,
    posted,
    send: ({ event, data }) => streams.forEach((stream) => stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)),
    stop,
    start,
    [Symbol.asyncDispose]: stop,
  };
}

async function file(response: ServerResponse, pathname: string): Promise<void> {
  const name = pathname === "/" ? "index.html" : pathname.slice(1);
  const content = await readFile(join(root, "dist", "dashboard", name)).catch(() => null);
  if (content === null) response.writeHead(404).end();
  else
    response
      .writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream", "content-security-policy": POLICY })
      .end(content);
}
