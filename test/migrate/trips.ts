import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { cutover } from "../../src/migrate/cutover.ts";
import { turnAround } from "../../src/migrate/way-back.ts";
import { runOnce } from "../../src/migrate/near.ts";
import { waitFor } from "../harness/wait.ts";
import { openRig, openSession, type Rig } from "../replicate/rig.ts";
import { contextOf, describe } from "./rig.ts";

const schema = `
  create sequence ids;
  create table journal (writer int, n int, id int not null default nextval('ids'), primary key (writer, n));
  create unique index on journal (id);
  create table total (id int primary key, n int);
  insert into total select i, 0 from generate_series(0, 7) i`;

/** Clients that write to whichever side lets them; after a refusal, or when a server says nothing of the transaction, they look at the other. */
class Wanderers implements AsyncDisposable {
  readonly commits: number[] = [];
  /** Every number that nextval gave out, whether its transaction was committed or not. */
  readonly ids = new Set<number>();
  readonly twice: number[] = [];
  #stopped = false;
  readonly #work: Promise<unknown>;
  readonly #rig: Rig;

  constructor(rig: Rig, count: number) {
    this.#rig = rig;
    this.#work = Promise.all(Array.from({ length: count }, (_, index) => this.#write(index)));
    this.#work.catch(() => undefined);
  }

  async more(commits: number): Promise<void> {
    const sum = (): number => this.commits.reduce((all, n) => all + n, 0);
    const goal = sum() + commits;
    await Promise.race([waitFor(() => sum() >= goal, { what: `${commits} more commits` }), this.#work]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#work.catch(() => undefined);
  }

  async #write(writer: number): Promise<void> {
    this.commits[writer] = 0;
    const sides = [await this.#rig.source.client(), await this.#rig.target.client()];
    for (let side = 0; !this.#stopped;) {
      try {
        await this.#transaction(sides[side]!, writer);
        this.commits[writer]++;
        await delay(2);
      } catch (error) {
        if ((error as { code?: string }).code !== "BU001") throw error;
        await sides[side]!.query("rollback");
        side = 1 - side;
        // As an application does; without it, clients draw thousands of numbers while both sides are closed.
        await delay(10);
      }
    }
  }

  async #transaction(client: pg.Client, writer: number): Promise<void> {
    await client.query("begin");
    const { rows } = await client.query<{ id: number }>("select nextval('public.ids')::int as id");
    const { id } = rows[0]!;
    if (this.ids.has(id)) this.twice.push(id);
    this.ids.add(id);
    await client.query("insert into public.journal (writer, n, id) values ($1, $2, $3)", [writer, this.commits[writer]! + 1, id]);
    await client.query("update public.total set n = n + 1 where id = $1", [writer]);
    await client.query("commit");
  }
}

/** So many times there and back, with clients that write all the time. Throws when a step fails; the caller looks at what came of it. */
export async function makeTrips(trips: number): Promise<{ rig: Rig; wanderers: Wanderers }> {
  const rig = await openRig({ schema, tables: ["journal", "total"], sequences: ["ids"] });
  await rig.run();
  const wanderers = new Wanderers(rig, 8);
  // As many as clients may draw in the moment between the last look at a sequence and their next write.
  const there = contextOf(rig, { verify: true, sequenceGap: 1000 });
  const back = { ...there, from: there.to, to: there.from, definition: turnAround(there.definition) };
  for (let trip = 1; trip <= trips; trip++) {
    for (const context of [there, back]) {
      await wanderers.more(100);
      const report = await cutover(context);
      if (report.outcome !== "switched") throw new Error(`trip ${trip}: ${describe(report)}`, { cause: report.why });
    }
  }
  await wanderers.more(100);
  await wanderers.stop();
  return { rig, wanderers };
}

/** Of the side that was left: it follows once more. */
export async function follow(rig: Rig, back: boolean): Promise<void> {
  await using source = await openSession(back ? rig.target : rig.source, "source");
  await using target = await openSession(back ? rig.source : rig.target, "target");
  const definition = rig.definition({ strict: false });
  await runOnce({ definition: back ? turnAround(definition) : definition, source, target, signal: new AbortController().signal });
}
