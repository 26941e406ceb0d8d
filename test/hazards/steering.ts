import { onPoint, type Point } from "../../src/base/point.ts";
import { installCapture } from "../../src/capture/install.ts";
import { purge, type PurgeOptions, type PurgeReport } from "../../src/capture/purge.ts";
import { connect } from "../../src/postgres/connect.ts";
import type { Session } from "../../src/postgres/session.ts";
import { run, type RunContext } from "../../src/replicate/run.ts";
import type { TestDatabase } from "../harness/database.ts";
import { superuser, type ServerAddress } from "../harness/server.ts";
import { openSession, type Rig } from "../replicate/rig.ts";

export type Standing = Disposable & { readonly passes: number };

/** Does `work` when the engine passes `point` for the so-manieth time (default: the first) from now on. */
export function at(point: Point, work: () => Promise<unknown>, pass = 1): Standing {
  let passes = 0;
  const standing = onPoint(async (reached) => {
    if (reached === point && ++passes === pass) await work();
  });
  return {
    get passes() {
      return passes;
    },
    [Symbol.dispose]: () => standing[Symbol.dispose](),
  };
}

/** Other users than the superuser; another server that answers in the place of one. */
export type As = {
  readonly sourceUser?: string;
  readonly targetUser?: string;
  readonly sourceServer?: ServerAddress;
  readonly targetServer?: ServerAddress;
};

/** One run of the rig's sync on connections of its own, as another daemon would do it; voids are not repeated. */
export async function runApart(rig: Rig, change: As & Partial<RunContext> = {}): Promise<Awaited<ReturnType<typeof run>>> {
  const { sourceUser, targetUser, sourceServer, targetServer, ...context } = change;
  await using source = await openAs(rig.source, "source", sourceUser, sourceServer);
  await using target = await openAs(rig.target, "target", targetUser, targetServer);
  return await run({
    definition: rig.definition(),
    source,
    target,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    remembered: null,
    ...context,
  });
}

export async function openAs(
  database: TestDatabase,
  name: string,
  user = superuser,
  server: ServerAddress = database.server,
): Promise<Session> {
  return connect({ name, host: server.host, port: server.port, user, dbname: database.name });
}

/** Housekeeping of the rig's source, as the daemon does it; by default every generation that holds a row is retired. */
export async function purgeSource(rig: Rig, options: PurgeOptions = { rotateBytes: 1 }): Promise<PurgeReport> {
  await using session = await openSession(rig.source, "source");
  return await purge(session, options);
}

/** As `bucardo validate` does: capture is completed, nothing that is right is touched. */
export async function validate(rig: Rig, targets: readonly string[] = ["target"]): Promise<void> {
  await using session = await openSession(rig.source, "source");
  await installCapture(session, {
    sync: { id: rig.syncId, name: "rig" },
    installation: rig.installation,
    targets,
    relations: rig.relations.map((relation) => ({ ...relation, autokick: rig.options.autokick ?? false })),
  });
}

/** The backend of a session dies, as by pg_terminate_backend or a lost machine. */
export async function kill(database: TestDatabase, session: Session): Promise<void> {
  await database.query("select pg_terminate_backend($1)", [session.backendPid]);
  if (!session.lost.aborted) await new Promise((resolve) => session.lost.addEventListener("abort", resolve, { once: true }));
}

export type CheckpointRow = { snapshot: string; run: number; target_xid: string | null };

export async function checkpointOf(rig: Rig, target = "target"): Promise<CheckpointRow> {
  return rig.source.one<CheckpointRow>(
    "select snapshot, run::int, target_xid::text from bucardo.checkpoint where sync = $1 and target = $2",
    [rig.syncId, target],
  );
}
