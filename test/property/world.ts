import { randomUUID } from "node:crypto";
import { installCapture } from "../../src/capture/install.ts";
import { purge } from "../../src/capture/purge.ts";
import { askRecopy, subscribedTables } from "../../src/capture/subscribed.ts";
import { chooseKey } from "../../src/catalog/key.ts";
import { readTables } from "../../src/catalog/table.ts";
import { displayName } from "../../src/model/name.ts";
import { releaseBacklog } from "../../src/replicate/accept.ts";
import type { RunRelation } from "../../src/replicate/definition.ts";
import type { Major } from "../harness/binaries.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import type { Server } from "../harness/server.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { withTimeout } from "../harness/wait.ts";
import { Application } from "./application.ts";
import type { Command, RunCommand } from "./command.ts";
import { prelude } from "./key-type.ts";
import { type Counts, Loop } from "./loop.ts";
import { openSession, Replica } from "./replica.ts";
import { createText, type SchemaSpec, type Table, tablesOf } from "./schema.ts";
import { differences } from "./state.ts";

/** Nobody but us works on these servers' databases: no autovacuum holds a lock that no command took. */
export const settings = { autovacuum: false, max_prepared_transactions: 50 };

export type WorldOptions = {
  readonly majors: readonly [Major, Major];
  readonly copyFirst: 1 | 2;
  /** Servers of the test's own, which may crash. */
  readonly servers?: { readonly source: Server; readonly target: Server };
};

/** One source with writers, one or two targets, and the engine run by hand: what a list of commands happens to. */
export class World implements AsyncDisposable {
  readonly trace: string[] = [];
  readonly #options: WorldOptions;
  readonly #source: TestDatabase;
  readonly #tables: readonly Table[];
  readonly #application: Application;
  readonly #loop: Loop;
  readonly #sync = { id: randomUUID(), name: "property" };
  readonly #installation = randomUUID();
  readonly #replicas: Replica[] = [];
  readonly #alterations: string[] = [];

  constructor(source: TestDatabase, tables: readonly Table[], options: WorldOptions) {
    this.#source = source;
    this.#tables = tables;
    this.#options = options;
    this.#application = new Application(source, tables, (line) => this.trace.push(line));
    this.#loop = new Loop(this.#application, this.#sync, (side) => this.#crash(side));
  }

  get counts(): Counts {
    return this.#loop.counts;
  }

  async begin(): Promise<void> {
    this.trace.push(createText(this.#tables, "source"));
    await this.#source.query(`${durable}\n${prelude}\n${createText(this.#tables, "source")}`);
    await this.#application.begin();
    await this.#choose(this.#tables.filter((table, index) => index === 0 || !table.spec.late));
    await this.#addTarget();
  }

  async obey(command: Command): Promise<void> {
    if ("by" in command) return this.#application.obey(command);
    const replica = this.#replicas[("target" in command ? command.target : 0) % this.#replicas.length]!;
    switch (command.do) {
      case "run":
        return void (await this.#loop.run(replica, command));
      case "add target":
        return this.#replicas.length < 2 ? this.#addTarget() : undefined;
      case "add tables":
        return this.#addTables();
      case "add column":
        return this.#addColumn(this.#tables[command.table % this.#tables.length]!, command.rewriting);
      case "release backlog":
        return this.#releaseBacklog(replica);
      case "crash source":
      case "crash target":
        return void (await this.#crash(command.do === "crash source" ? "source" : "target"));
      case "purge":
      case "finish prepared":
      case "vacuum full":
      case "attach":
      case "detach":
        return this.#application.obey(command);
    }
  }

  /** All transactions end, every target is run until nothing is left; gives what still differs. */
  async end(): Promise<string[]> {
    await this.#application.end();
    const problems: string[] = [];
    for (const replica of this.#replicas) {
      for (let runs = 1; (await this.#loop.run(replica, quiet)) !== "empty"; runs++) {
        if (runs < 5) continue;
        problems.push(`${replica.name}: there is always one more run to make`);
        break;
      }
      const [here, there] = [await this.#loop.look(this.#source), await this.#loop.look(replica.database)];
      problems.push(...differences(here, there).map((line) => `${replica.name}, at the end: ${line}`));
      const tick = "select last_value::text, is_called from public.tick";
      const [left, right] = [JSON.stringify(await this.#source.one(tick)), JSON.stringify(await replica.database.one(tick))];
      if (left !== right) problems.push(`${replica.name}: sequence ${right} instead of ${left}`);
    }
    const pending = await this.#source.query("select target, table_name, deltas from bucardo.pending()");
    if (pending.length > 0) problems.push(`still pending: ${JSON.stringify(pending)}`);
    await using session = await openSession(this.#source, "source");
    await purge(session, { rotateBytes: 1 });
    const { held } = await purge(session, { rotateBytes: 1_000_000 });
    if (held > 0) problems.push(`${held} generations are held though nobody needs them`);
    return problems;
  }

  async #addColumn(table: Table, rewriting: boolean): Promise<void> {
    const name = `a${this.#alterations.length}`;
    const kind = rewriting ? "text not null default md5(random()::text)" : `int default ${this.#alterations.length}`;
    const text = `alter table ${table.sql} add column ${name} ${kind}`;
    if (!(await this.#application.administer(text))) return;
    this.#alterations.push(text);
    for (const replica of this.#replicas) await replica.database.query(`${durable} ${text}`);
  }

  async #releaseBacklog(replica: Replica): Promise<void> {
    await using session = await openSession(this.#source, "source");
    await releaseBacklog(session, this.#sync.id, replica.name);
    replica.remembered = replica.remembered === null ? null : replica.remembered + 1;
    this.trace.push(`release backlog of ${replica.name}`);
  }

  async #crash(side: "source" | "target"): Promise<boolean> {
    const server = this.#options.servers?.[side];
    if (server === undefined) return false;
    this.trace.push(`${side} crashes`);
    await server.crash();
    await server.start();
    if (side === "source") await this.#application.comeBack();
    else for (const replica of this.#replicas) await replica.database.closeClients();
    for (const replica of this.#replicas) await replica.untilLost(side);
    return true;
  }

  async #addTarget(): Promise<void> {
    const first = this.#replicas.length === 0;
    const name = first ? "target" : "second";
    const database = await createDatabase(this.#options.servers?.target ?? (await sharedServer(this.#options.majors[1], settings)));
    this.#replicas.push(new Replica(name, database, this.#source, first ? this.#options.copyFirst : 1));
    await database.query(`${durable}\n${prelude}\n${createText(this.#tables, "target")}\n${this.#alterations.join(";\n")}`);
    await this.#capture();
    this.trace.push(`captured for ${name}`);
  }

  /** Tables join the living sync; what they hold is copied by each target's next run. */
  async #addTables(): Promise<void> {
    const before = this.#loop.tables;
    if (before.length === this.#tables.length) return;
    await this.#choose(this.#tables);
    await this.#capture();
    await using session = await openSession(this.#source, "source");
    const known = new Set(before.map((table) => table.plainName));
    const joined = (await subscribedTables(session, this.#sync.id)).filter((table) => !known.has(table.name));
    await askRecopy(
      session,
      joined.map((table) => table.captured),
    );
    this.trace.push(`joined: ${[...new Set(joined.map((table) => table.name))].join(", ")}`);
  }

  async #capture(): Promise<void> {
    await using session = await openSession(this.#source, "source");
    const work = installCapture(session, {
      sync: this.#sync,
      installation: this.#installation,
      targets: this.#replicas.map((replica) => replica.name),
      relations: this.#loop.relations.map((relation) => ({ ...relation, autokick: false })),
    });
    await this.#application.unblocked(work, session.backendPid, "commit");
  }

  /** Keys are chosen as the product does. */
  async #choose(tables: readonly Table[]): Promise<void> {
    await using session = await openSession(this.#source, "source");
    const names = tables.map((table) => ({ schema: "public", name: table.plainName }));
    const shapes = await readTables(session, names);
    const relations = names.map((name): RunRelation => ({
      kind: "table",
      name,
      key: chooseKey(shapes.get(displayName(name))!, null)!.columns,
    }));
    this.#loop.tables = tables;
    this.#loop.relations = [...relations, { kind: "sequence", name: { schema: "public", name: "tick" }, key: null }];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const replica of this.#replicas) await replica[Symbol.asyncDispose]();
    await this.#source[Symbol.asyncDispose]();
  }
}

/** A schema that one side loses by a crash is nothing that runs could mend. */
const durable = "set synchronous_commit = on;";

const quiet: RunCommand = { do: "run", target: 0, cut: null, meanwhile: null, blockers: "commit" };

/** Makes a world, lets the commands happen, and gives what is wrong at the end. Throws where something is wrong on the way. */
export async function live(schema: SchemaSpec, commands: readonly Command[], options: WorldOptions): Promise<Counts> {
  const source = await createDatabase(options.servers?.source ?? (await sharedServer(options.majors[0], settings)));
  await using world = new World(source, tablesOf(schema, options.majors), options);
  try {
    const problems = await withTimeout(lifeOf(world, commands), LONGEST_LIFE_MS, "this life");
    if (problems.length > 0) throw new Error(problems.join("\n"));
    return world.counts;
  } catch (error) {
    throw new Error(`${String(error)}\n\nWhat happened:\n${world.trace.join("\n")}`, { cause: error });
  }
}

/** Whoever takes longer hangs. */
const LONGEST_LIFE_MS = 180_000;

async function lifeOf(world: World, commands: readonly Command[]): Promise<string[]> {
  await world.begin();
  for (const command of commands) await world.obey(command);
  return world.end();
}
