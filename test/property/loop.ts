import { onPoint, type Point } from "../../src/base/point.ts";
import { sql } from "../../src/postgres/sql.ts";
import type { RunRelation } from "../../src/replicate/definition.ts";
import { run } from "../../src/replicate/run.ts";
import type { TestDatabase } from "../harness/database.ts";
import { waitFor } from "../harness/wait.ts";
import type { Application } from "./application.ts";
import type { Cut, RunCommand } from "./command.ts";
import type { Replica } from "./replica.ts";
import type { Table } from "./schema.ts";
import { differences, readState, type State } from "./state.ts";

export type Counts = { runs: number; cut: number; voids: number; checked: number; unseen: number };

/** What the loop of a daemon would do for one sync, and what is looked at after each run. */
export class Loop {
  readonly counts: Counts = { runs: 0, cut: 0, voids: 0, checked: 0, unseen: 0 };
  relations: readonly RunRelation[] = [];
  /** Those of the sync. */
  tables: readonly Table[] = [];
  readonly #application: Application;
  readonly #sync: { readonly id: string; readonly name: string };
  readonly #crash: (side: "source" | "target") => Promise<boolean>;

  /** `crash`: false where the servers are not ours to crash. */
  constructor(
    application: Application,
    sync: { readonly id: string; readonly name: string },
    crash: (side: "source" | "target") => Promise<boolean>,
  ) {
    this.#application = application;
    this.#sync = sync;
    this.#crash = crash;
  }

  /** One run, repeated where it is void; afterwards the target must be what the run's snapshot saw. */
  async run(replica: Replica, { cut, meanwhile, blockers }: RunCommand): Promise<"good" | "empty" | "cut"> {
    const application = this.#application;
    let seen: State = new Map();
    let cutDone = false;
    let meanwhileDone = false;
    this.counts.runs++;
    for (let attempt = 1; ; attempt++) {
      if (replica.lost) await replica.dropSessions();
      const sessions = await replica.sessions();
      const end = new AbortController();
      const mayCut = cut !== null && !cutDone;
      using _standing = onPoint(async (point: Point) => {
        if (point === "replicate.snapshot-taken") {
          const { id } = await sessions.source.one<{ id: string }>(sql("test.export", "select pg_export_snapshot() as id"));
          seen = await this.look(application.source, id);
        }
        if (meanwhile?.point === point && !meanwhileDone) {
          meanwhileDone = true;
          application.trace(`  at ${point}:`);
          for (const each of meanwhile.commands) await application.obey(each);
          application.trace(`  go on`);
        }
        if (cut?.point === point && !cutDone) {
          cutDone = true;
          application.trace(`  ${cut.how} at ${point}`);
          await this.#cut(cut, replica, end);
        }
      });
      try {
        const outcome = await this.#runOnce(replica, end.signal, blockers);
        await this.#check(replica, seen);
        return outcome;
      } catch (error) {
        const code = (error as { code?: string }).code;
        application.trace(`run to ${replica.name}: ${String(error)}`);
        if (mayCut && cutDone) {
          this.counts.cut++;
          return "cut";
        }
        if (code === "run-void") this.counts.voids++;
        const again = code === "run-void" || (code === "connection-lost" && replica.lost);
        if (!again || attempt >= 6) throw error;
      }
    }
  }

  async look(database: TestDatabase, snapshot: string | null = null): Promise<State> {
    const reader = await database.client({ application_name: "reader" });
    try {
      return await readState(reader, this.tables, snapshot);
    } finally {
      await reader.end();
    }
  }

  async #runOnce(replica: Replica, signal: AbortSignal, blockers: RunCommand["blockers"]): Promise<"good" | "empty"> {
    const sessions = await replica.sessions();
    const work = run({
      definition: {
        sync: this.#sync,
        source: "source",
        target: replica.name,
        relations: this.relations,
        onetimecopy: replica.onetimecopy,
        strict: false,
      },
      ...sessions,
      signal,
      onProgress: () => undefined,
      remembered: replica.remembered,
    });
    const { outcome, settledRuns, tables } = await this.#application.unblocked(work, sessions.source.backendPid, blockers);
    replica.remembered = settledRuns;
    replica.onetimecopy = 0;
    const counts = tables.map((table) => [table.table, table.upserted, table.deleted, table.refilled]);
    this.#application.trace(`run to ${replica.name}: ${outcome} ${JSON.stringify(counts)}`);
    return outcome;
  }

  async #check(replica: Replica, seen: State): Promise<void> {
    const wrong = differences(seen, await this.look(replica.database));
    this.counts.checked += seen.size;
    this.counts.unseen += this.tables.length - seen.size;
    if (wrong.length > 0) throw new Error(`${replica.name} is not what the run's snapshot saw:\n${wrong.join("\n")}`);
  }

  async #cut(cut: Cut, replica: Replica, end: AbortController): Promise<void> {
    const { source, target } = await replica.sessions();
    if (cut.how === "fail") throw new Error("cut off by the test");
    if (cut.how === "abort") return end.abort(new Error("cut off by the test"));
    const side = cut.how.endsWith("source") ? "source" : "target";
    const [database, session] = side === "source" ? [this.#application.source, source] : [replica.database, target];
    if (!cut.how.startsWith("crash") || !(await this.#crash(side)))
      await database.query("select pg_terminate_backend($1)", [session.backendPid]);
    await waitFor(() => session.lost.aborted, { what: "the session to notice its end" });
  }
}
