import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { onPoint, type Point } from "../../src/base/point.ts";
import { installCapture } from "../../src/capture/install.ts";
import { purge } from "../../src/capture/purge.ts";
import { chooseKey } from "../../src/catalog/key.ts";
import { readTables } from "../../src/catalog/table.ts";
import { displayName } from "../../src/model/name.ts";
import { sql } from "../../src/postgres/sql.ts";
import { releaseBacklog } from "../../src/replicate/accept.ts";
import type { RunRelation } from "../../src/replicate/definition.ts";
import { run } from "../../src/replicate/run.ts";
import type { Major } from "../harness/binaries.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";
import { type Command, type Cut, type RunCommand, type SideCommand, type WriterCommand, writerCount } from "./command.ts";
import { prelude } from "./key-type.ts";
import { openSession, Replica } from "./replica.ts";
import { createText, type SchemaSpec, type Table, tablesOf } from "./schema.ts";
import { differences, readState, type State } from "./state.ts";
import { openWriter, type Writer } from "./writer.ts";

/** Nobody but us works on these servers' databases, so that who waits for whom depends on the commands alone. */
const settings = { autovacuum: false, max_prepared_transactions: 50 };

export type WorldOptions = { readonly majors: readonly [Major, Major]; readonly copyFirst: 1 | 2 };

/** One source with writers, one or two targets, and the engine run by hand: what a list of commands happens to. */
export class World implements AsyncDisposable {
  readonly trace: string[] = [];
  readonly counts = { runs: 0, cut: 0, voids: 0, checked: 0, unseen: 0 };
  readonly #options: WorldOptions;
  readonly #source: TestDatabase;
  readonly #tables: readonly Table[];
  readonly #syncId = randomUUID();
  readonly #installation = randomUUID();
  readonly #replicas: Replica[] = [];
  readonly #writers: Writer[] = [];
  #observer: pg.Client | null = null;
  readonly #alterations: string[] = [];
  #relations: RunRelation[] = [];
  #gids = 0;

  constructor(source: TestDatabase, tables: readonly Table[], options: WorldOptions) {
    this.#source = source;
    this.#tables = tables;
    this.#options = options;
  }

  async begin(): Promise<void> {
    await this.#source.query(`${prelude}\n${createText(this.#tables, "source")}`);
    this.trace.push(createText(this.#tables, "source"));
    for (let index = 0; index < writerCount; index++)
      this.#writers.push(await openWriter(this.#source, index, (line) => this.trace.push(line)));
    for (const [table] of this.#tables.entries()) {
      await this.#write({ by: 0, do: "insert many", table, way: 0, key: 0, other: table, value: 1, guarded: false });
    }
    await this.#addTarget();
  }

  async obey(command: Command): Promise<void> {
    if ("by" in command) return this.#write(command);
    switch (command.do) {
      case "run":
        return void (await this.#run(this.#replicas[command.target % this.#replicas.length]!, command));
      case "add target":
        return this.#replicas.length < 2 ? this.#addTarget() : undefined;
      case "add column":
        return this.#addColumn(this.#tables[command.table % this.#tables.length]!, command.rewriting);
      case "release backlog": {
        const replica = this.#replicas[command.target % this.#replicas.length]!;
        await using session = await openSession(this.#source, "source");
        await releaseBacklog(session, this.#syncId, replica.name);
        replica.remembered = replica.remembered === null ? null : replica.remembered + 1;
        this.trace.push(`release backlog of ${replica.name}`);
        return;
      }
      default:
        return this.#side(command);
    }
  }

  /** All transactions end, every target is run until nothing is left; gives what still differs. */
  async end(): Promise<string[]> {
    for (const writer of this.#writers) await writer.end("commit");
    await this.#finishPrepared(true);
    const problems: string[] = [];
    for (const replica of this.#replicas) {
      for (let runs = 1; (await this.#run(replica, quiet)) !== "empty"; runs++) {
        if (runs === 5) problems.push(`${replica.name}: there is always one more run to make`);
        if (runs === 5) break;
      }
      const [here, there] = [await this.#look(this.#source), await this.#look(replica.database)];
      problems.push(...differences(here, there).map((line) => `${replica.name}, at the end: ${line}`));
      const tick = "select last_value::text, is_called from public.tick";
      const [left, right] = [await this.#source.one(tick), await replica.database.one(tick)];
      if (JSON.stringify(left) !== JSON.stringify(right)) problems.push(`${replica.name}: sequence ${JSON.stringify([left, right])}`);
    }
    const pending = await this.#source.query("select target, table_name, deltas from bucardo.pending()");
    if (pending.length > 0) problems.push(`still pending: ${JSON.stringify(pending)}`);
    await using session = await openSession(this.#source, "source");
    await purge(session, { rotateBytes: 1 });
    const { held } = await purge(session, { rotateBytes: 1_000_000 });
    if (held > 0) problems.push(`${held} generations are held though nobody needs them`);
    return problems;
  }

  async #write(command: WriterCommand): Promise<void> {
    await this.#writers[command.by % this.#writers.length]!.obey(command, this.#tables, () => `g${++this.#gids}`);
  }

  async #side(command: SideCommand): Promise<void> {
    switch (command.do) {
      case "purge": {
        await using session = await openSession(this.#source, "source");
        const report = await purge(session, { rotateBytes: command.rotateBytes });
        this.trace.push(`purge ${JSON.stringify(report)}`);
        return;
      }
      case "finish prepared":
        return this.#finishPrepared(command.commit);
      case "vacuum full":
        return void (await this.#admin(`vacuum full ${this.#tables[command.table % this.#tables.length]!.sql}`));
      case "detach":
      case "attach": {
        const partitioned = this.#tables.filter((table) => table.partition);
        const table = partitioned[command.table % Math.max(1, partitioned.length)];
        const leaf = table?.leaves[command.leaf % 4];
        if (table === undefined || leaf === undefined) return;
        const bound = command.do === "attach" ? ` ${leaf.bound}` : "";
        await this.#admin(`alter table ${table.sql} ${command.do} partition ${leaf.sql}${bound}`);
        return;
      }
    }
  }

  async #admin(text: string): Promise<boolean> {
    try {
      await this.#source.query("set lock_timeout = '40ms'; set search_path = 'public'");
      await this.#source.query(text);
      this.trace.push(`admin: ${text}`);
      return true;
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === undefined) throw error;
      this.trace.push(`admin: ${text} -- ${code}`);
      return false;
    }
  }

  async #finishPrepared(commit: boolean): Promise<void> {
    const all = await this.#source.query<{ gid: string }>(
      "select gid from pg_prepared_xacts where database = current_database() order by prepared",
    );
    for (const { gid } of all) await this.#admin(`${commit ? "commit" : "rollback"} prepared '${gid}'`);
  }

  async #addColumn(table: Table, rewriting: boolean): Promise<void> {
    const name = `a${this.#alterations.length}`;
    const kind = rewriting ? "text not null default md5(random()::text)" : `int default ${this.#alterations.length}`;
    const text = `alter table ${table.sql} add column ${name} ${kind}`;
    if (!(await this.#admin(text))) return;
    this.#alterations.push(text);
    for (const replica of this.#replicas) await replica.database.query(text);
  }

  async #addTarget(): Promise<void> {
    const [, major] = this.#options.majors;
    const first = this.#replicas.length === 0;
    const name = first ? "target" : "second";
    const database = await createDatabase(await sharedServer(major, settings));
    this.#replicas.push(new Replica(name, database, this.#source, first ? this.#options.copyFirst : 1));
    await database.query(`${prelude}\n${createText(this.#tables, "target")}\n${this.#alterations.join(";\n")}`);
    await using session = await openSession(this.#source, "source");
    if (first) {
      const names = this.#tables.map((table) => ({ schema: "public", name: table.plainName }));
      const shapes = await readTables(session, names);
      this.#relations = names.map((of) => ({ kind: "table", name: of, key: chooseKey(shapes.get(displayName(of))!, null)!.columns }));
      this.#relations.push({ kind: "sequence", name: { schema: "public", name: "tick" }, key: null });
    }
    this.trace.push(`capture for ${name}`);
    const capture = installCapture(session, {
      sync: { id: this.#syncId, name: "property" },
      installation: this.#installation,
      targets: this.#replicas.map((replica) => replica.name),
      relations: this.#relations.map((relation) => ({ ...relation, autokick: false })),
    });
    await this.#unblocked(capture, [session.backendPid], "commit");
  }

  /** One run, repeated where it is void, as the daemon does; afterwards the target must be what the run's snapshot saw. */
  async #run(replica: Replica, { cut, meanwhile, blockers }: RunCommand): Promise<"good" | "empty" | "cut"> {
    let seen: State = new Map();
    let cutDone = false;
    let meanwhileDone = false;
    this.counts.runs++;
    for (let attempt = 1; ; attempt++) {
      if (replica.lost) await replica.dropSessions();
      const sessions = await replica.sessions();
      const end = new AbortController();
      const cutHere = cut !== null && !cutDone;
      using _standing = onPoint(async (point: Point) => {
        if (point === "replicate.snapshot-taken") {
          const { id } = await sessions.source.one<{ id: string }>(sql("test.export", "select pg_export_snapshot() as id"));
          seen = await this.#look(this.#source, id);
        }
        if (meanwhile?.point === point && !meanwhileDone) {
          meanwhileDone = true;
          this.trace.push(`  at ${point}:`);
          for (const each of meanwhile.commands) await ("by" in each ? this.#write(each) : this.#side(each));
          this.trace.push(`  go on`);
        }
        if (cut?.point === point && !cutDone) {
          cutDone = true;
          this.trace.push(`  ${cut.how} at ${point}`);
          await this.#cut(cut, replica, end);
        }
      });
      try {
        const { result } = await this.#oneRun(replica, sessions, end.signal, blockers);
        this.trace.push(
          `run to ${replica.name}: ${result.outcome} ${JSON.stringify(result.tables.map((t) => [t.table, t.upserted, t.deleted, t.refilled]))}`,
        );
        await this.#check(replica, seen);
        return result.outcome;
      } catch (error) {
        const code = (error as { code?: string }).code;
        this.trace.push(`run to ${replica.name}: ${String(error)}`);
        if (cutHere && cutDone) {
          this.counts.cut++;
          return "cut";
        }
        if (code === "run-void") this.counts.voids++;
        const again = code === "run-void" || (code === "connection-lost" && replica.lost);
        if (!again || attempt >= 6) throw error;
      }
    }
  }

  async #oneRun(
    replica: Replica,
    sessions: Awaited<ReturnType<Replica["sessions"]>>,
    signal: AbortSignal,
    blockers: RunCommand["blockers"],
  ) {
    const work = run({
      definition: {
        sync: { id: this.#syncId, name: "property" },
        source: "source",
        target: replica.name,
        relations: this.#relations,
        onetimecopy: replica.onetimecopy,
        strict: false,
      },
      ...sessions,
      signal,
      onProgress: () => undefined,
      remembered: replica.remembered,
    });
    const result = await this.#unblocked(work, [sessions.source.backendPid], blockers);
    replica.remembered = result.settledRuns;
    replica.onetimecopy = 0;
    return { result };
  }

  async #check(replica: Replica, seen: State): Promise<void> {
    const found = await this.#look(replica.database);
    const wrong = differences(seen, found);
    this.counts.checked += seen.size;
    this.counts.unseen += this.#tables.length - seen.size;
    if (wrong.length > 0) throw new Error(`${replica.name} is not what the run's snapshot saw:\n${wrong.join("\n")}`);
  }

  async #cut(cut: Cut, replica: Replica, end: AbortController): Promise<void> {
    const { source, target } = await replica.sessions();
    if (cut.how === "fail") throw new Error("cut off by the test");
    if (cut.how === "abort") return end.abort(new Error("cut off by the test"));
    const [database, session] = cut.how === "kill source" ? [this.#source, source] : [replica.database, target];
    await database.query("select pg_terminate_backend($1)", [session.backendPid]);
    await waitFor(() => session.lost.aborted, { what: "the session to notice its end" });
  }

  async #look(database: TestDatabase, snapshot: string | null = null): Promise<State> {
    const reader = await database.client({ application_name: "reader" });
    try {
      return await readState(reader, this.#tables, snapshot);
    } finally {
      await reader.end();
    }
  }

  /** Where our session waits for a transaction, that one ends: the application goes on, or nobody would. */
  async #unblocked<T>(work: Promise<T>, pids: readonly number[], how: "commit" | "rollback"): Promise<T> {
    let done = false;
    const settled = work.finally(() => (done = true));
    settled.catch(() => undefined);
    for (;;) {
      await Promise.race([settled.catch(() => undefined), delay(15)]);
      if (done) return settled;
      this.#observer ??= await this.#source.client({ application_name: "observer" });
      const { rows } = await this.#observer.query<{ pid: number }>(
        "select distinct unnest(pg_blocking_pids(p)) as pid from unnest($1::int[]) p order by 1",
        [pids],
      );
      for (const { pid } of rows) {
        if (pid === 0) await this.#finishPrepared(how === "commit");
        await this.#writers.find((writer) => writer.pid === pid)?.end(how);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const replica of this.#replicas) await replica[Symbol.asyncDispose]();
    await this.#source[Symbol.asyncDispose]();
  }
}

const quiet: RunCommand = { do: "run", target: 0, cut: null, meanwhile: null, blockers: "commit" };

/** Makes a world, lets the commands happen, and gives what is wrong at the end. Throws where something is wrong on the way. */
export async function live(schema: SchemaSpec, commands: readonly Command[], options: WorldOptions): Promise<World["counts"]> {
  const source = await createDatabase(await sharedServer(options.majors[0], settings));
  await using world = new World(source, tablesOf(schema, options.majors), options);
  try {
    await world.begin();
    for (const command of commands) await world.obey(command);
    const problems = await world.end();
    if (problems.length > 0) throw new Error(problems.join("\n"));
    return world.counts;
  } catch (error) {
    throw new Error(`${String(error)}\n\nWhat happened:\n${world.trace.join("\n")}`, { cause: error });
  }
}
