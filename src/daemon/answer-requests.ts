import type { Announcement } from "../control/announce.ts";
import { answerRequest, openRequests, type RequestRow } from "../control/request.ts";
import type { Log } from "../telemetry/log.ts";
import type { Lease } from "./lease.ts";

export type RequestHandlers = {
  readonly log: Log;
  readonly reload: (sync: string | null) => Promise<void>;
  readonly reopen: () => void;
  readonly stop: (why: string) => void;
  readonly announce: (event: Announcement) => void;
};

/** Does what was asked, in order, and answers. A request that fails is answered with the reason. */
export async function answerRequests(lease: Pick<Lease, "use">, handlers: RequestHandlers): Promise<void> {
  for (const request of await lease.use(openRequests)) {
    const answer = await act(request, handlers).catch(
      (error: unknown) => `failed: ${error instanceof Error ? error.message : String(error)}`,
    );
    await lease.use((session) => answerRequest(session, request.id, answer));
  }
}

async function act(request: RequestRow, handlers: RequestHandlers): Promise<string> {
  switch (request.verb) {
    case "ping":
      handlers.announce("mcp_pong");
      return String(process.pid);
    case "message":
      handlers.log.info(`MESSAGE (${request.requested.toISOString()}): ${request.argument ?? ""}`);
      return "logged";
    case "reload":
      await reload(request.argument, handlers);
      return "reloaded";
    case "reopen":
      handlers.reopen();
      return "reopened";
    case "stop":
      handlers.stop(request.argument ?? "asked to");
      return "stopping";
    default:
      return `failed: unknown request ${request.verb}`;
  }
}

async function reload(sync: string | null, { reload: again, announce }: RequestHandlers): Promise<void> {
  try {
    await again(sync);
  } catch (error) {
    if (sync !== null) announce(`reload_error_sync_${sync}`);
    throw error;
  }
  if (sync !== null) return announce(`reloaded_sync_${sync}`);
  announce("reload_config_finished");
  announce("reloaded_mcp");
}
