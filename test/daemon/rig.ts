import { randomUUID } from "node:crypto";
import { installCapture } from "../../src/capture/install.ts";
import { insertDatabase } from "../../src/control/database.ts";
import { insertDbgroup, putDbgroupMember } from "../../src/control/dbgroup.ts";
import { createInstallation } from "../../src/control/installation.ts";
import { kickState, requestKick, type KickTarget } from "../../src/control/kick.ts";
import { insertRelations } from "../../src/control/relation.ts";
import { insertRelgroup, putRelgroupMembers } from "../../src/control/relgroup.ts";
import { migrateSchema } from "../../src/control/schema-version.ts";
import { insertSync, markSyncReady, notifyChanged } from "../../src/control/sync.ts";
import { Daemon } from "../../src/daemon/daemon.ts";
import type { DaemonOptions } from "../../src/daemon/options.ts";
import type { Database, Sync } from "../../src/model/sync.ts";
import { connect } from "../../src/postgres/connect.ts";
import type { Session } from "../../src/postgres/session.ts";
import { sql } from "../../src/postgres/sql.ts";
import { transaction } from "../../src/postgres/transaction.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { sharedServer } from "../harness/shared-server.ts";
import type { ServerAddress } from "../harness/server.ts";
import { waitFor } from "../harness/wait.ts";
import { memoryLog, type MemoryLog } from "./memory-log.ts";

export const TABLE = "create table account (id integer primary key, balance integer not null)";

/** A table of the sync, the same on all sides. */
export type RigTable = { readonly name: string; readonly create: string; readonly key: readonly string[] };

const ACCOUNT: RigTable = { name: "account", create: TABLE, key: ["id"] };

export type DaemonRigOptions = {
  /** Default: account. */
  readonly tables?: readonly RigTable[];
  /** Names of the targets; default one, `B`. */
  readonly targets?: readonly string[];
  readonly sync?: Partial<Sync>;
  readonly overrides?: Readonly<Record<string, string>>;
  readonly control?: ServerAddress;
  readonly source?: ServerAddress;
  readonly target?: ServerAddress;
  /** Where the daemon connects to instead, by registered name; "control" for the control database. */
  readonly through?: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
};

/** A control database, a source A with table account, its targets, one sync `s`, and daemons in this process. */
export class DaemonRig implements AsyncDisposable {
  readonly syncId = randomUUID();
  readonly log: MemoryLog = memoryLog();
  readonly databases = new Map<string, TestDatabase>();
  readonly #options: DaemonRigOptions;
  readonly #daemons: Daemon[] = [];
  #control: Session | null = null;

  constructor(options: DaemonRigOptions) {
    this.#options = options;
  }

  get source(): TestDatabase {
    return this.database("A");
  }

  get target(): TestDatabase {
    return this.database("B");
  }

  get tables(): readonly RigTable[] {
    return this.#options.tables ?? [ACCOUNT];
  }

  get targets(): readonly string[] {
    return this.#options.targets ?? ["B"];
  }

  database(name: string): TestDatabase {
    const found = this.databases.get(name);
    if (found === undefined) throw new Error(`no database ${name}`);
    return found;
  }

  /** A session of the test's own on the control database, which no fault of a network touches; another one after its server was down. */
  async control(): Promise<Session> {
    if (this.#control?.lost.aborted) this.#control = null;
    this.#control ??= await sessionOf("control", this.database("control").connection);
    return this.#control;
  }

  async start(more: Partial<DaemonOptions> = {}): Promise<Daemon> {
    const daemon = await Daemon.start({
      connectControl: () => sessionOf("control", this.#route("control"), { applicationName: "bucardo daemon" }),
      connect: (database, signal) =>
        sessionOf(database.name, this.#route(database.name), { applicationName: `bucardo ${database.name}`, ...(signal && { signal }) }),
      version: "test",
      reason: null,
      log: this.log,
      reopenLog: () => undefined,
      overrides: { lag_interval: "100 ms", purge_interval: "500 ms", retry_longest: "500 ms", ...this.#options.overrides },
      ...more,
    });
    this.#daemons.push(daemon);
    return daemon;
  }

  async stop(daemon: Daemon): Promise<void> {
    daemon.stop("the test says so");
    await daemon.done;
  }

  async kick(): Promise<number> {
    return requestKick(await this.control(), this.syncId);
  }

  /** Waits until every target has settled the kick. */
  async settled(kick: number, timeoutMs = 45_000): Promise<KickTarget[]> {
    const control = await this.control();
    return waitFor(
      async () => {
        const state = await kickState(control, kick);
        return state.every((one) => one.outcome !== null) ? state : null;
      },
      { what: `kick ${kick} to settle`, timeoutMs },
    );
  }

  /** Changes the definitions as the command line does. */
  async define(text: string, values: unknown[] = []): Promise<void> {
    const control = await this.control();
    await control.query(sql("test.define", text, values));
    await notifyChanged(control);
  }

  async untilEqual(target = "B", timeoutMs = 45_000): Promise<void> {
    await waitFor(async () => (await this.differences(target)).length === 0, { what: `${target} to equal the source`, timeoutMs });
  }

  differences(target = "B"): Promise<string[]> {
    return equalTables(
      this.source,
      this.database(target),
      this.tables.map((table) => table.name),
    );
  }

  /** Rows of the history, oldest first. */
  async runs(
    target = "B",
  ): Promise<{ id: number; reason: string; outcome: string | null; error_code: string | null; error_message: string | null }[]> {
    return (await this.control()).query(
      sql("test.runs", "select id, reason, outcome, error_code, error_message from bucardo.run where target = $1 order by id", [target]),
    );
  }

  async state(target = "B"): Promise<{ state: string; detail: string | null; deltas: number | null } | undefined> {
    const rows = await (
      await this.control()
    ).query<{ state: string; detail: string | null; deltas: number | null }>(
      sql("test.state", "select state, detail, deltas from bucardo.target_state where target = $1", [target]),
    );
    return rows[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons) await daemon[Symbol.asyncDispose]();
    await this.#control?.close();
    for (const database of this.databases.values()) await database[Symbol.asyncDispose]();
  }

  #route(name: string): ConnectionTo {
    const through = this.#options.through?.[name];
    return { ...this.database(name).connection, ...through };
  }
}

type ConnectionTo = { readonly host: string; readonly port: number; readonly user: string; readonly database: string };

/** A session of the test's own, unless the application name says that it is the daemon's. */
export function sessionOf(
  name: string,
  to: ConnectionTo,
  more: { readonly signal?: AbortSignal; readonly applicationName?: string } = {},
): Promise<Session> {
  const { host, port, user, database: dbname } = to;
  return connect({ name, host, port, user, dbname, connectTimeoutMs: 3000, applicationName: "test", ...more });
}

export async function openDaemonRig(options: DaemonRigOptions = {}): Promise<DaemonRig> {
  const rig = new DaemonRig(options);
  const server = await sharedServer(15);
  rig.databases.set("control", await createDatabase(options.control ?? server));
  rig.databases.set("A", await createDatabase(options.source ?? server));
  for (const target of rig.targets) rig.databases.set(target, await createDatabase(options.target ?? server));
  for (const name of ["A", ...rig.targets]) for (const table of rig.tables) await rig.database(name).query(table.create);
  await define(rig, options);
  return rig;
}

async function define(rig: DaemonRig, options: DaemonRigOptions): Promise<void> {
  const control = await rig.control();
  const autokick = options.sync?.autokick ?? true;
  await transaction(control, {}, async () => {
    await migrateSchema(control);
    const installation = await createInstallation(control);
    for (const name of ["A", ...rig.targets]) await insertDatabase(control, registered(name, rig.database(name)));
    await insertDbgroup(control, "g");
    await putDbgroupMember(control, "g", { db: "A", role: "source", priority: 0 });
    for (const target of rig.targets) await putDbgroupMember(control, "g", { db: target, role: "target", priority: 0 });
    await insertRelgroup(control, "r");
    const relations = rig.tables.map(({ name }) => ({ db: "A", schema: "public", name, kind: "table" as const }));
    await putRelgroupMembers(control, "r", await insertRelations(control, relations), 0);
    await insertSync(control, {
      id: rig.syncId,
      name: "s",
      relgroup: "r",
      dbgroup: "g",
      status: "active",
      paused: false,
      autokick,
      checktime: null,
      onetimecopy: 0,
      strictChecking: true,
      onError: "stop",
      conflictStrategy: "bucardo_latest",
      fkConflict: "restore",
      sequenceConflict: "highest",
      priority: 0,
      legacy: {},
      ...options.sync,
    });
    await using source = await sessionOf("A", rig.source.connection);
    await installCapture(source, {
      sync: { id: rig.syncId, name: "s" },
      installation,
      targets: rig.targets,
      relations: rig.tables.map(({ name, key }) => ({ kind: "table", name: { schema: "public", name }, key: [...key], autokick })),
    });
    await markSyncReady(control, rig.syncId, true);
  });
}

function registered(name: string, { connection }: TestDatabase): Database {
  const { host, port, user, database: dbname } = connection;
  return { name, dbname, host, port, user, password: null, service: null, pgpass: null, conn: null, status: "active" };
}
