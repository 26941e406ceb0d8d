import { answerRequest, openRequests, type RequestRow } from "../control/request.ts";
import type { Log } from "../telemetry/log.ts";
import type { Lease } from "./lease.ts";

export type RequestHandlers = {
  readonly log: Log;
  readonly reload: (sync: string | null) => Promise<void>;
  readonly reopen: () => void;
  readonly stop: (why: string) => void;
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
      return String(process.pid);
    case "message":
      handlers.log.info(`MESSAGE (${request.requested.toISOString()}): ${request.argument ?? ""}`);
      return "logged";
    case "reload":
      await handlers.reload(request.argument);
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
