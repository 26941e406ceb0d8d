import { randomUUID } from "node:crypto";
import { installCapture } from "../../src/capture/install.ts";
import { chooseKey } from "../../src/catalog/key.ts";
import { readTables } from "../../src/catalog/table.ts";
import type { Exchange } from "../../src/model/conflict.ts";
import { displayName } from "../../src/model/name.ts";
import type { RunResult } from "../../src/model/run.ts";
import { quoteName } from "../../src/postgres/quote.ts";
import type { Session } from "../../src/postgres/session.ts";
import type { ConflictHook } from "../../src/replicate/conflict-hook.ts";
import type { RunDefinition, RunRelation } from "../../src/replicate/definition.ts";
import { run } from "../../src/replicate/run.ts";
import type { Major } from "../harness/binaries.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { sharedServer } from "../harness/shared-server.ts";
import type { ServerAddress } from "../harness/server.ts";
import { nameOf, openSession } from "./rig.ts";

export type StarOptions = {
  readonly schema: string;
  readonly tables: readonly string[];
  readonly sequences?: readonly string[];
  /** Names of the members with their majors; the first is the one that the others exchange with. */
  readonly members?: Readonly<Record<string, Major>>;
  readonly servers?: Readonly<Record<string, ServerAddress>>;
  /** Those that are no sources. */
  readonly targets?: readonly string[];
  readonly exchange?: Partial<Exchange>;
};

/** Several sources and targets of one sync, run by hand: the engine without a daemon. */
export class Star implements AsyncDisposable {
  readonly syncId = randomUUID();
  readonly installation = randomUUID();
  readonly databases = new Map<string, TestDatabase>();
  readonly #sessions = new Map<string, Session>();
  readonly #options: StarOptions;
  relations: readonly RunRelation[] = [];
  hook: ConflictHook | null = null;

  constructor(options: StarOptions) {
    this.#options = options;
  }

  get names(): string[] {
    return [...this.databases.keys()];
  }

  get sources(): string[] {
    return this.names.filter((name) => !(this.#options.targets ?? []).includes(name));
  }

  of(name: string): TestDatabase {
    const found = this.databases.get(name);
    if (found === undefined) throw new Error(`no member ${name}`);
    return found;
  }

  async session(name: string): Promise<Session> {
    const there = this.#sessions.get(name);
    if (there !== undefined && !there.lost.aborted) return there;
    const session = await openSession(this.of(name), name);
    this.#sessions.set(name, session);
    return session;
  }

  /** As a daemon does after a loss. */
  async dropSessions(): Promise<void> {
    for (const session of this.#sessions.values()) await session.close();
    this.#sessions.clear();
  }

  definition(source: string, target: string): RunDefinition {
    const both = this.sources.includes(source) && this.sources.includes(target);
    const exchange: Exchange = {
      strategy: "bucardo_latest",
      tables: {},
      foreignKeys: "restore",
      sequences: "highest",
      sources: this.sources,
      ...this.#options.exchange,
    };
    return {
      sync: { id: this.syncId, name: "star" },
      source,
      target,
      relations: this.relations,
      onetimecopy: 0,
      strict: true,
      onError: "stop",
      ...(both && { exchange }),
    };
  }

  async capture(): Promise<void> {
    const [first = "", ...others] = this.names;
    const session = await this.session(first);
    const names = this.#options.tables.map(nameOf);
    const shapes = await readTables(session, names);
    const tables = names.map((name): RunRelation => ({
      kind: "table",
      name,
      key: chooseKey(shapes.get(displayName(name))!, null)!.columns,
    }));
    const sequences = (this.#options.sequences ?? []).map((name): RunRelation => ({ kind: "sequence", name: nameOf(name), key: null }));
    this.relations = [...tables, ...sequences];
    for (const source of this.sources) {
      await using own = await openSession(this.of(source), source);
      await installCapture(own, {
        sync: { id: this.syncId, name: "star" },
        installation: this.installation,
        targets: source === first ? others : [first],
        relations: this.relations.map((relation) => ({ ...relation, autokick: false })),
        stamped: true,
      });
    }
  }

  /** One run of one direction; voids are repeated as the daemon does. */
  async run(source: string, target: string): Promise<RunResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await run({
          definition: this.definition(source, target),
          source: await this.session(source),
          target: await this.session(target),
          signal: new AbortController().signal,
          onProgress: () => {},
          remembered: null,
          ...(this.hook !== null && {
            hooks: { at: async () => {}, handles: () => false, failed: async () => false, conflict: this.hook },
          }),
        });
      } catch (error) {
        if (attempt >= 5 || (error as { code?: string }).code !== "run-void") throw error;
      }
    }
  }

  /** What the loop of one member does: home, then out. Conflicts that were found. */
  async exchange(member: string): Promise<number> {
    const [first = ""] = this.names;
    const results = [...(this.sources.includes(member) ? [await this.run(member, first)] : []), await this.run(first, member)];
    return results.flatMap(({ tables }) => tables).reduce((sum, { conflicts = 0 }) => sum + conflicts, 0);
  }

  /** Until everybody has everything: twice around, as what one brings home goes out to the others afterwards. */
  async drain(): Promise<number> {
    let conflicts = 0;
    for (let round = 0; round < 3; round++) for (const member of this.names.slice(1)) conflicts += await this.exchange(member);
    return conflicts;
  }

  rows(name: string, text: string): Promise<Record<string, unknown>[]> {
    return this.of(name).query(text);
  }

  /** Differences between the first member and all others. */
  async differences(): Promise<string[]> {
    const [first = "", ...others] = this.names;
    const tables = this.relations.filter(({ kind }) => kind === "table").map(({ name }) => quoteName(name));
    const found: string[] = [];
    for (const other of others) {
      const differences = await equalTables(this.of(first), this.of(other), tables);
      found.push(...differences.map((difference) => `${other}: ${difference}`));
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dropSessions();
    for (const database of this.databases.values()) await database[Symbol.asyncDispose]();
  }
}

export async function openStar(options: StarOptions): Promise<Star> {
  const star = new Star(options);
  for (const [name, major] of Object.entries(options.members ?? { A: 15, B: 18 })) {
    const database = await createDatabase(options.servers?.[name] ?? (await sharedServer(major as Major)));
    star.databases.set(name, database);
    await database.query(options.schema);
  }
  await star.capture();
  return star;
}
