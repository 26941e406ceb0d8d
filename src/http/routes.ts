import type { Served } from "../operations/serving.ts";
import type { Api } from "./api.ts";
import type { Route } from "./answer.ts";
import { HttpFailure } from "./failure.ts";
import type { Hub } from "./hub.ts";
import { METRICS_TYPE, renderMetrics } from "./metric.ts";
import { collectMetrics } from "./metrics.ts";
import { API } from "./offer.ts";
import { openApi } from "./openapi.ts";
import { isPagePath, pageFile } from "./page-files.ts";
import type { Site } from "./page-types.ts";
import { json, plain, type Ask, type Reply } from "./request.ts";

export type Behind = {
  readonly served: Served;
  readonly hub: Hub;
  readonly api: Api;
  readonly answers: ReadonlyMap<string, number>;
  readonly readsNeedToken: boolean;
};

/** Two scrapes within this see the same look. */
const SCRAPE_MS = 1000;

/** What stands at a path; null: nothing. */
export function routesOf(behind: Behind): (path: string) => Route | null {
  const fixed: Readonly<Record<string, Route>> = {
    "/events": { needs: "read", run: (ask, response) => onlyGet(ask, () => behind.hub.listen(response).then(() => null)) },
    "/metrics": { needs: "read", run: (ask) => onlyGet(ask, () => metricsReply(behind)) },
    "/healthz": { needs: "open", run: (ask) => onlyGet(ask, async () => plain(200, "ok\n")) },
    "/readyz": { needs: "open", run: (ask) => onlyGet(ask, () => readyReply(behind)) },
    "/openapi.json": { needs: "open", run: (ask) => onlyGet(ask, async () => json(200, openApi(behind.served.version))) },
    "/api/v1/site": { needs: "open", run: (ask) => onlyGet(ask, async () => json(200, { ok: true, output: siteOf(behind, ask) })) },
  };
  const operation: Route = { needs: "read", run: (ask) => behind.api.answer(ask) };
  const page: Route = {
    needs: "open",
    run: (ask, response) => onlyGet(ask, () => pageReply(ask.path, response.req.headers["if-none-match"])),
  };
  return (path) => {
    if (Object.hasOwn(fixed, path)) return fixed[path] ?? null;
    if (path.startsWith(API)) return operation;
    return isPagePath(path) ? page : null;
  };
}

async function onlyGet(ask: Ask, run: () => Promise<Reply | null>): Promise<Reply | null> {
  if (ask.method !== "GET") throw new HttpFailure(405, "http-refused", "This is asked by GET.", { headers: { allow: "GET, HEAD" } });
  return await run();
}

async function pageReply(path: string, seen: string | undefined): Promise<Reply> {
  const reply = await pageFile(path, seen);
  if (reply === null) throw new HttpFailure(404, "http-unknown", "There is nothing here.");
  return reply;
}

async function metricsReply({ hub, served, answers }: Behind): Promise<Reply> {
  const snapshot = await hub.look(SCRAPE_MS);
  const { user, system } = process.cpuUsage();
  const text = renderMetrics(
    collectMetrics({
      snapshot,
      tally: served.daemon?.tally ?? null,
      process: {
        residentBytes: process.memoryUsage.rss(),
        cpuSeconds: (user + system) / 1e6,
        startedAt: Math.round(Date.now() / 1000 - process.uptime()),
      },
      listeners: hub.listeners,
      answers,
    }),
  );
  return plain(200, text, METRICS_TYPE);
}

/** Says no more than whether: it needs no token. */
async function readyReply({ hub }: Behind): Promise<Reply> {
  const { daemon, trouble, site } = await hub.look(SCRAPE_MS);
  if (trouble.control !== null) return plain(503, "the control database does not answer\n");
  if (site.hasControl && daemon?.state !== "up") return plain(503, "no daemon is ready\n");
  return plain(200, "ready\n");
}

function siteOf({ hub, readsNeedToken }: Behind, { authorized }: Ask): Site {
  return { ...hub.site, readsNeedToken, authorized };
}
