import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { buildIfStale } from "./build.ts";
import { startServer } from "./server.ts";
import type { Server, ServerAddress, ServerOptions } from "./server.ts";

/**
 * Keeps what the workers of a test run share: one server per major, and the build. Vitest's main process runs it, so that the servers
 * outlive each test file and end with the run; workers ask over HTTP.
 */
export async function startKeeper(): Promise<{ url: string; close(): Promise<void> }> {
  const servers = new Map<string, Promise<Server>>();
  let built: Promise<void> | undefined;

  const answer = async (path: string, body: unknown): Promise<unknown> => {
    if (path === "/build") return (built ??= buildIfStale());
    const { major, settings } = body as ServerOptions;
    const key = JSON.stringify([major, settings]);
    let server = servers.get(key);
    if (!server) {
      server = startServer({ major, settings: { ...settings } });
      servers.set(key, server);
    }
    return address(await server);
  };

  const http = createServer((request, response) => {
    json(request)
      .then((body) => answer(request.url ?? "", body))
      .then((value) => response.end(JSON.stringify(value ?? null)))
      .catch((error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  http.unref();
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async close() {
      http.close();
      http.closeAllConnections();
      const started = await Promise.allSettled(servers.values());
      await Promise.all(started.map(async (one) => one.status === "fulfilled" && one.value[Symbol.asyncDispose]()));
    },
  };
}

function address({ major, host, port, socketDir, dataDir, logFile }: Server): ServerAddress {
  return { major, host, port, socketDir, dataDir, logFile };
}
