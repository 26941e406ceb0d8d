import fc from "fast-check";
import { expect, test } from "vitest";
import { onPoint, type Point } from "../../src/base/point.ts";
import type { Major } from "../harness/binaries.ts";
import { openStar, type Star } from "../replicate/star.ts";

const SCHEMA = `create table account (id integer primary key, balance integer);
create table person (id integer primary key, email text unique);
create table item (id integer primary key, person integer references person)`;

const MEMBERS = ["A", "B", "C"] as const;
type Name = (typeof MEMBERS)[number];

/** Values are few, so that members meet. */
type Write = { readonly on: Name; readonly text: string; readonly account: { id: number; balance: number | null } | null | "all" };
type Step =
  | { readonly do: "write"; readonly write: Write }
  | {
      readonly do: "exchange";
      readonly member: "B" | "C";
      /** Between two points of the run something is written, or the engine dies. */
      readonly at: number;
      readonly event: "die" | Write | null;
    };

const anyName = fc.constantFrom(...MEMBERS);
const id = fc.integer({ min: 1, max: 3 });
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ on: anyName, id, balance: fc.integer({ min: 0, max: 999 }) }).map(({ on, id: of, balance }): Write => ({
    on,
    text: `insert into account values (${of}, ${balance}) on conflict (id) do update set balance = excluded.balance`,
    account: { id: of, balance },
  })),
  fc
    .record({ on: anyName, id })
    .map(({ on, id: of }): Write => ({ on, text: `delete from account where id = ${of}`, account: { id: of, balance: null } })),
  fc.record({ on: anyName, id, email: fc.integer({ min: 1, max: 2 }) }).map(({ on, id: of, email }): Write => ({
    on,
    text: `insert into person values (${of}, 'e${email}') on conflict do nothing`,
    account: null,
  })),
  fc.record({ on: anyName, id, email: fc.integer({ min: 1, max: 2 }) }).map(({ on, id: of, email }): Write => ({
    on,
    text: `update person set email = 'e${email}' where id = ${of} and not exists (select from person where email = 'e${email}')`,
    account: null,
  })),
  fc.record({ on: anyName, id }).map(({ on, id: of }): Write => ({
    on,
    text: `delete from item where person = ${of}; delete from person where id = ${of}`,
    account: null,
  })),
  fc.record({ on: anyName, id, person: id }).map(({ on, id: of, person }): Write => ({
    on,
    text: `insert into item select ${of}, id from person where id = ${person} on conflict (id) do update set person = excluded.person`,
    account: null,
  })),
  { weight: 1, arbitrary: anyName.map((on): Write => ({ on, text: "truncate account", account: "all" })) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: write.map((each): Step => ({ do: "write", write: each })) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("exchange" as const),
      member: fc.constantFrom("B" as const, "C" as const),
      at: fc.integer({ min: 1, max: 24 }),
      event: fc.oneof(fc.constant(null), fc.constant("die" as const), write),
    }),
  },
);

/** One of each kind, so that even the shortest time has seen some. */
const MEETING: readonly Step[] = [
  ...MEMBERS.map((on, balance): Step => ({
    do: "write",
    write: {
      on,
      text: `insert into account values (1, ${balance}) on conflict (id) do update set balance = ${balance}`,
      account: { id: 1, balance },
    },
  })),
  ...MEMBERS.map((on, place): Step => ({
    do: "write",
    write: { on, text: `insert into person values (${place + 1}, 'e1') on conflict do nothing`, account: null },
  })),
  { do: "write", write: { on: "C", text: "insert into item select 1, min(id) from person", account: null } },
];

/** What nobody else wrote since all were equal must be what its writer wrote last. */
type Known = Map<number, { readonly on: Name; readonly balance: number | null } | "many">;

/**
 * Lives after lives, each from a seed of its own, until the time is up. A failure says its seed: BUCARDO_SEED=n replays that one life alone.
 */
export function meetings({
  seconds,
  majors,
  strategy,
}: {
  seconds: number;
  majors: readonly [Major, Major, Major];
  strategy: string;
}): void {
  const wanted = process.env["BUCARDO_SEED"];
  const budget = Number(process.env["BUCARDO_PROPERTY_SECONDS"] ?? seconds);
  test(
    `whatever three sources write and wherever the engine dies (${strategy}), in the end all are equal and nothing runs in circles`,
    { timeout: 3_600_000 },
    async () => {
      const end = performance.now() + budget * 1000;
      const first = wanted === undefined ? Math.floor(Math.random() * 1_000_000_000) : Number(wanted);
      const members = { A: majors[0], B: majors[1], C: majors[2] };
      const options = { schema: SCHEMA, tables: ["account", "person", "item"], members, exchange: { strategy } };
      let star = await openStar(options);
      let conflicts = 0;
      try {
        conflicts += await live(star, MEETING);
        for (let seed = first; performance.now() < end || seed === first; seed++) {
          const shrinkUntil = performance.now() + Number(process.env["BUCARDO_SHRINK_SECONDS"] ?? 90) * 1000;
          const property = fc.asyncProperty(fc.array(step, { minLength: 12, maxLength: 40, size: "max" }), async (steps) => {
            if (performance.now() > shrinkUntil) return;
            try {
              conflicts += await live(star, steps);
            } catch (error) {
              await star[Symbol.asyncDispose]();
              star = await openStar(options);
              throw error;
            }
          });
          const details = await fc.check(property, { seed, numRuns: 1 });
          if (details.failed)
            throw new Error(
              `BUCARDO_SEED=${seed} replays this\n${String(details.errorInstance)}\n\n${fc.stringify(details.counterexample)}`,
            );
          if (wanted !== undefined) break;
        }
      } finally {
        await star[Symbol.asyncDispose]();
      }
      expect(conflicts).toBeGreaterThan(0);
    },
  );
}

async function live(star: Star, steps: readonly Step[]): Promise<number> {
  const known: Known = new Map();
  let conflicts = 0;
  for (const each of steps) {
    if (each.do === "write") await apply(star, each.write, known, 0);
    else conflicts += await exchange(star, each, known);
  }
  const more = await rest(star);
  conflicts += more;
  const differences = await star.differences();
  if (differences.length > 0) throw new Error(`not equal: ${differences.join("; ")}`);
  const rows = await star.rows("A", "select id, balance from account");
  for (const [key, of] of known) {
    if (of === "many") continue;
    const now = rows.find((row) => row["id"] === key)?.["balance"] ?? null;
    if (now !== of.balance) throw new Error(`account ${key}: ${of.on} alone wrote ${of.balance}, and ${JSON.stringify(now)} is left`);
  }
  for (const name of MEMBERS) {
    const lost = await star.rows(
      name,
      "select i.id from item i left join person p on p.id = i.person where i.person is not null and p.id is null",
    );
    if (lost.length > 0) throw new Error(`on ${name} items refer to nothing: ${JSON.stringify(lost)}`);
  }
  return conflicts;
}

/** Until nobody sends anything any more. A row of a conflict may be sent back, and meet another one there; but that ends. */
async function rest(star: Star): Promise<number> {
  let conflicts = 0;
  for (let round = 1; ; round++) {
    let moved = false;
    for (const member of ["B", "C"]) {
      for (const [from, to] of [
        [member, "A"],
        ["A", member],
      ] as const) {
        const { outcome, tables } = await star.run(from, to);
        moved ||= outcome !== "empty";
        conflicts += tables.reduce((sum, { conflicts: found = 0 }) => sum + found, 0);
      }
    }
    if (!moved) return conflicts;
    if (round === 12) throw new Error("something runs in circles");
  }
}

async function apply(star: Star, { on, text, account }: Write, known: Known, lockTimeoutMs: number): Promise<void> {
  try {
    await star.of(on).query(`set lock_timeout = ${lockTimeoutMs}; begin; ${text}; commit`);
  } catch {
    await star.of(on).query("rollback");
    return;
  }
  if (account === null) return;
  if (account === "all") {
    for (let key = 1; key <= 3; key++) known.set(key, "many");
    return;
  }
  const before = known.get(account.id);
  known.set(account.id, before === undefined || (before !== "many" && before.on === on) ? { on, balance: account.balance } : "many");
}

async function exchange(star: Star, { member, at, event }: Extract<Step, { do: "exchange" }>, known: Known): Promise<number> {
  let passes = 0;
  using _ = onPoint(async (_point: Point) => {
    passes++;
    if (passes !== at || event === null) return;
    if (event === "die") throw new Error("died, as the test wants");
    await apply(star, event, known, 100);
  });
  try {
    return await star.exchange(member);
  } catch (error) {
    if (event !== "die") throw error;
    await star.dropSessions();
    return 0;
  }
}
