import type pg from "pg";
import type { TestDatabase } from "../harness/database.ts";
import { waitFor } from "../harness/wait.ts";
import { seededRandom } from "../harness/writers.ts";

/** Two tables of `rows` rows: keys that move, and a unique value that wanders between rows. */
export const wanderingSchema =
  "create table moving (id bigint primary key, v int, t text); create table wandering (id bigint primary key, code text, t text)";

export function fillWandering(database: TestDatabase, rows: number): Promise<unknown> {
  return database.query(`
    insert into moving select g * 10, g, repeat('m', 60) from generate_series(1, ${rows}) g;
    insert into wandering select g * 10, 'code ' || g, repeat('w', 60) from generate_series(1, ${rows}) g;
    create unique index on wandering (code); analyze moving; analyze wandering`);
}

/** Writes without pause until disposed: keys jump from one end to the other, codes change hands, rows come and go. */
export class Wanderer implements AsyncDisposable {
  commits = 0;
  #writing = true;
  readonly #work: Promise<void>;

  constructor(database: TestDatabase, rows: number, seed: number) {
    this.#work = this.#write(database, rows, seed);
    this.#work.catch(() => (this.#writing = false));
  }

  async more(commits: number): Promise<void> {
    const goal = this.commits + commits;
    await waitFor(() => this.commits >= goal || !this.#writing, { what: `${commits} more commits` });
  }

  /** Rejects when a statement failed. */
  async stop(): Promise<void> {
    this.#writing = false;
    await this.#work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => undefined);
  }

  async #write(database: TestDatabase, rows: number, seed: number): Promise<void> {
    const random = seededRandom(seed);
    const client = await database.client();
    while (this.#writing) {
      await change(client, rows, random, this.commits);
      this.commits++;
    }
    await client.end();
  }
}

async function change(client: pg.Client, rows: number, random: (below: number) => number, turn: number): Promise<void> {
  const [one, other] = [(random(rows) + 1) * 10, (random(rows) + 1) * 10];
  const some = "(select id from moving where id >= $1 order by id limit 1)";
  switch (random(5)) {
    case 0:
      await client.query(`update moving set v = v + 1 where id between $1 and $1 + 50`, [one]);
      break;
    case 1:
      await client.query(`update moving set id = $2 where id = ${some} and not exists (select from moving where id = $2)`, [
        one,
        other + 1 + random(8),
      ]);
      break;
    case 2:
      await client.query(`delete from moving where id = ${some}`, [one]);
      break;
    case 3:
      await client.query("insert into moving values ($1, $2, 'new') on conflict (id) do update set t = 'again'", [other + random(9), turn]);
      break;
    default:
      await client.query("begin");
      await client.query("update wandering set code = code || ' given ' || $3 where id = $1 and id <> $2", [one, other, turn]);
      await client.query(
        "update wandering w set code = split_part(o.code, ' given ', 1) from wandering o where w.id = $2 and o.id = $1 and o.id <> w.id and not exists (select from wandering x where x.code = split_part(o.code, ' given ', 1))",
        [one, other],
      );
      await client.query("commit");
  }
}
