import { randomUUID } from "node:crypto";
import { installCapture } from "../../src/capture/install.ts";
import { chooseKey } from "../../src/catalog/key.ts";
import { readTables } from "../../src/catalog/table.ts";
import { displayName, type QualifiedName } from "../../src/model/name.ts";
import type { OnError } from "../../src/model/sync.ts";
import type { RunResult } from "../../src/model/run.ts";
import { connect } from "../../src/postgres/connect.ts";
import { quoteName } from "../../src/postgres/quote.ts";
import type { Session } from "../../src/postgres/session.ts";
import type { RunDefinition, RunRelation } from "../../src/replicate/definition.ts";
import { run } from "../../src/replicate/run.ts";
import type { Major } from "../harness/binaries.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { sharedServer } from "../harness/shared-server.ts";
import type { ServerAddress } from "../harness/server.ts";

export type RigOptions = {
  readonly majors?: readonly [source: Major, target: Major];
  /** Made on both sides; `target` instead where the sides differ. */
  readonly schema: string;
  readonly targetSchema?: string;
  /** `schema.name` or `name` (public). Keys are chosen as the product does. */
  readonly tables: readonly (string | { readonly table: QualifiedName; readonly key: readonly string[] })[];
  readonly sequences?: readonly string[];
  readonly autokick?: boolean;
  readonly sourceServer?: ServerAddress;
  readonly targetServer?: ServerAddress;
  readonly sourceEncoding?: string;
  readonly targetEncoding?: string;
  /** Captured at once; default true. */
  readonly capture?: boolean;
  readonly strict?: boolean;
  readonly onError?: OnError;
};

/** A source, a target and one sync between them, run by hand: the engine without a daemon. */
export class Rig implements AsyncDisposable {
  readonly syncId = randomUUID();
  readonly installation = randomUUID();
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly options: RigOptions;
  #sessions: { source: Session; target: Session } | null = null;
  #relations: readonly RunRelation[] = [];
  /** What the control database would remember. */
  remembered: number | null = null;

  constructor(source: TestDatabase, target: TestDatabase, options: RigOptions) {
    this.source = source;
    this.target = target;
    this.options = options;
  }

  get relations(): readonly RunRelation[] {
    return this.#relations;
  }

  /** Relations that somebody else has captured. */
  adopt(relations: readonly RunRelation[]): void {
    this.#relations = relations;
  }

  definition(change: Partial<RunDefinition> = {}): RunDefinition {
    return {
      sync: { id: this.syncId, name: "rig" },
      source: "source",
      target: "target",
      relations: this.#relations,
      onetimecopy: 0,
      strict: this.options.strict ?? true,
      onError: this.options.onError ?? "stop",
      ...change,
    };
  }

  async sessions(): Promise<{ source: Session; target: Session }> {
    this.#sessions ??= { source: await openSession(this.source, "source"), target: await openSession(this.target, "target") };
    return this.#sessions;
  }

  /** As a daemon does after a loss: the next run opens new ones. */
  async dropSessions(): Promise<void> {
    const sessions = this.#sessions;
    this.#sessions = null;
    await sessions?.source.close();
    await sessions?.target.close();
  }

  async capture(targets: readonly string[] = ["target"]): Promise<void> {
    await using session = await openSession(this.source, "source");
    this.#relations = await resolveRelations(session, this.options);
    await installCapture(session, {
      sync: { id: this.syncId, name: "rig" },
      installation: this.installation,
      targets,
      relations: this.#relations.map((relation) => ({ ...relation, autokick: this.options.autokick ?? false })),
    });
  }

  /** One run; voids are repeated as the daemon does. */
  async run(change: Partial<RunDefinition> = {}, signal = new AbortController().signal): Promise<RunResult> {
    const { source, target } = await this.sessions();
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await run({
          definition: this.definition(change),
          source,
          target,
          signal,
          onProgress: () => {},
          remembered: this.remembered,
        });
        this.remembered = result.settledRuns;
        return result;
      } catch (error) {
        if (attempt >= 5 || (error as { code?: string }).code !== "run-void") throw error;
      }
    }
  }

  /** Differences as text; empty when both sides are equal. Judged by a query of the harness, not by ours. */
  async differences(): Promise<string[]> {
    return equalTables(
      this.source,
      this.target,
      this.#relations.filter((relation) => relation.kind === "table").map((relation) => quoteName(relation.name)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dropSessions();
    await this.source[Symbol.asyncDispose]();
    await this.target[Symbol.asyncDispose]();
  }
}

export async function openRig(options: RigOptions): Promise<Rig> {
  const [sourceMajor, targetMajor] = options.majors ?? [15, 18];
  const source = await createDatabase(
    options.sourceServer ?? (await sharedServer(sourceMajor)),
    options.sourceEncoding === undefined ? {} : { encoding: options.sourceEncoding },
  );
  const target = await createDatabase(
    options.targetServer ?? (await sharedServer(targetMajor)),
    options.targetEncoding === undefined ? {} : { encoding: options.targetEncoding },
  );
  const rig = new Rig(source, target, options);
  await source.query(options.schema);
  await target.query(options.targetSchema ?? options.schema);
  if (options.capture !== false) await rig.capture();
  return rig;
}

export async function openSession(database: TestDatabase, name: string): Promise<Session> {
  const { host, port, user, database: dbname } = database.connection;
  return connect({ name, host, port, user, dbname });
}

export function nameOf(text: string): QualifiedName {
  const dot = text.indexOf(".");
  return dot === -1 ? { schema: "public", name: text } : { schema: text.slice(0, dot), name: text.slice(dot + 1) };
}

async function resolveRelations(session: Session, options: RigOptions): Promise<RunRelation[]> {
  const wanted = options.tables.map((table) => (typeof table === "string" ? { table: nameOf(table), key: null } : table));
  const shapes = await readTables(
    session,
    wanted.map(({ table }) => table),
  );
  const tables = wanted.map(({ table, key }): RunRelation => {
    const chosen = key ?? chooseKey(shapes.get(displayName(table))!, null)?.columns;
    if (chosen === undefined) throw new Error(`no key: ${displayName(table)}`);
    return { kind: "table", name: table, key: chosen };
  });
  return [...tables, ...(options.sequences ?? []).map((name): RunRelation => ({ kind: "sequence", name: nameOf(name), key: null }))];
}
