import type pg from "pg";
import type { TestDatabase } from "../harness/database.ts";
import { seededRandom } from "../harness/writers.ts";

/** Rows as text, by key: what a table must hold. */
type Rows = Map<number, string>;

/** Keys of one table lie below this; a changed key goes above. */
const KEYS = 300;
const BULK = 2000;
const MARK = -1;

/**
 * An application that knows what its two tables must hold. Each transaction leaves its number in a journal that is not replicated, so that one whose
 * COMMIT got no answer is decided afterwards by looking. Both tables get the same mark in each transaction: a reader who sees two marks saw it torn.
 */
export class ModelWriter {
  readonly tables: readonly [string, string];
  readonly #source: TestDatabase;
  readonly #random: (below: number) => number;
  #rows: [Rows, Rows] = [new Map(), new Map()];
  #client: pg.Client | null = null;
  #number = 0;
  /** Of the last transaction that was committed: the mark in both tables. */
  #last = 0;
  #moved = KEYS;

  constructor(source: TestDatabase, name: string, seed: number) {
    this.#source = source;
    this.tables = [`${name}_one`, `${name}_two`];
    this.#random = seededRandom(seed);
  }

  static create(name: string): string {
    const table = (which: string): string => `create table ${name}_${which} (id integer primary key, body text not null);`;
    return `${table("one")} ${table("two")}
      insert into ${name}_one values (${MARK}, '0'); insert into ${name}_two values (${MARK}, '0');`;
  }

  /** One transaction. False: it failed, and left nothing; the connection may be gone. */
  async write(): Promise<boolean> {
    this.#number += 1;
    const draft: [Rows, Rows] = [new Map(this.#rows[0]), new Map(this.#rows[1])];
    try {
      this.#client ??= await this.#source.client({ application_name: "model writer" });
      await this.#client.query(`begin; ${this.#transaction(draft)}`);
    } catch {
      await this.#forget();
      return false;
    }
    try {
      await this.#client.query("commit");
    } catch {
      await this.#forget();
      if (!(await this.#committed())) return false;
    }
    this.#rows = draft;
    this.#last = this.#number;
    return true;
  }

  /** What is wrong with the tables of a database at rest. */
  async differences(database: TestDatabase, where: string): Promise<string[]> {
    const lines: string[] = [];
    for (const [which, table] of this.tables.entries()) {
      const expected = new Map([...this.#rows[which]!, [MARK, String(this.#last)]]);
      const found = new Map(
        (await database.query<{ id: number; body: string }>(`select id, body from ${table}`)).map((row) => [row.id, row.body]),
      );
      const wrong = [...new Set([...expected.keys(), ...found.keys()])].filter((id) => expected.get(id) !== found.get(id));
      const shown = wrong.slice(0, 3).map((id) => `${id}: ${found.get(id) ?? "missing"} instead of ${expected.get(id) ?? "nothing"}`);
      if (wrong.length > 0) lines.push(`${where}, ${table}: ${wrong.length} rows are wrong, as ${shown.join("; ")}`);
    }
    return lines;
  }

  /** For an audit: one word when both tables have the same mark. */
  get rule(): string {
    return this.tables.map((table) => `(select body from ${table} where id = ${MARK})`).join(" = ");
  }

  async close(): Promise<void> {
    await this.#forget();
  }

  #transaction(draft: [Rows, Rows]): string {
    const parts = [`insert into journal values ('${this.tables[0]}', ${this.#number})`];
    for (let count = 1 + this.#random(4); count > 0; count--) {
      const which = this.#random(2) as 0 | 1;
      if (this.#random(5) === 0) {
        const undone = new Map(draft[which]);
        parts.push("savepoint here", this.#statement(this.tables[which], undone), "rollback to savepoint here");
      } else parts.push(this.#statement(this.tables[which], draft[which]));
    }
    for (const table of this.tables) parts.push(`update ${table} set body = '${this.#number}' where id = ${MARK}`);
    return parts.join("; ");
  }

  #statement(table: string, rows: Rows): string {
    const id = this.#random(KEYS);
    const body = `b${this.#number}`;
    switch (this.#random(12)) {
      case 0: {
        const mark = `insert into ${table} values (${MARK}, '')`;
        rows.clear();
        return `truncate ${table}; ${mark}`;
      }
      case 1: {
        const first = this.#moved + 1;
        this.#moved += BULK;
        for (let key = first; key < first + BULK; key++) rows.set(key, body);
        return `insert into ${table} select i, '${body}' from generate_series(${first}, ${first + BULK - 1}) i`;
      }
      case 2: {
        for (const key of rows.keys()) if (key >= KEYS) rows.delete(key);
        return `delete from ${table} where id >= ${KEYS}`;
      }
      case 3: {
        for (const key of rows.keys()) if (key % 3 === id % 3) rows.set(key, body);
        return `update ${table} set body = '${body}' where id >= 0 and id % 3 = ${id % 3}`;
      }
      case 4:
      case 5: {
        const to = ++this.#moved;
        const there = rows.get(id);
        if (there !== undefined) rows.set(to, there);
        rows.delete(id);
        return `update ${table} set id = ${to} where id = ${id}`;
      }
      case 6:
      case 7:
        rows.delete(id);
        return `delete from ${table} where id = ${id}`;
      default:
        rows.set(id, body);
        return `insert into ${table} values (${id}, '${body}') on conflict (id) do update set body = excluded.body`;
    }
  }

  async #forget(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => undefined);
  }

  /** Asks until the source answers; a transaction that is still under way there keeps the journal's key, so that looking waits for it. */
  async #committed(): Promise<boolean> {
    for (;;) {
      try {
        const client = await this.#source.client({ application_name: "model writer" });
        try {
          await client.query(`insert into journal values ('${this.tables[0]}', ${this.#number})`);
          return false;
        } catch (error) {
          if ((error as { code?: string }).code === "23505") return true;
          throw error;
        } finally {
          await client.end().catch(() => undefined);
        }
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}
