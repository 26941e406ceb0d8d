import { orAbort, withTimeout } from "../base/abort.ts";
import { BucardoError } from "../model/error.ts";
import { attemptsOf, dial } from "./dial.ts";
import { describePlace, toBucardoError } from "./failure.ts";
import { authenticate } from "./login.ts";
import { resolveParameters, type ConnectionFields } from "./parameters.ts";

/** The console of a connection pooler: it speaks the protocol, but only simple queries of its own language, and knows no settings. */
export interface AdminConsole extends AsyncDisposable {
  /** host:port, for messages. */
  readonly place: string;
  /** Rows as texts. The signal only ends the waiting: what was asked for goes on there. */
  ask(command: string, signal?: AbortSignal): Promise<Record<string, string | null>[]>;
}

const TIMEOUT_MS = 5000;

/** Errors: those of connect(). */
export async function openAdminConsole(options: ConnectionFields): Promise<AdminConsole> {
  const parameters = resolveParameters(options);
  const place = describePlace(parameters);
  const late = () =>
    new BucardoError("connection-failed", `${options.name}: the pooler at ${place} did not answer within ${TIMEOUT_MS / 1000} s`);
  const [security] = attemptsOf(parameters);
  const { client } = await withTimeout(TIMEOUT_MS, undefined, late, async (signal) =>
    authenticate(await dial(parameters, security ?? "clear", options.name, signal), parameters, options.name, "bucardo", signal),
  );
  return {
    place,
    async ask(command, signal) {
      try {
        const answer = client.query<Record<string, string | null>>({
          text: command,
          types: { getTypeParser: () => (value: unknown) => value },
        });
        return (await (signal === undefined ? answer : orAbort(answer, signal))).rows;
      } catch (error) {
        throw signal?.aborted ? error : toBucardoError(error, { db: options.name });
      }
    },
    async [Symbol.asyncDispose]() {
      const socket = (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream;
      const timer = setTimeout(() => socket.destroy(), 500);
      await client.end().catch(() => socket.destroy());
      clearTimeout(timer);
    },
  };
}
