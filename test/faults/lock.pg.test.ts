import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestDatabase } from "../harness/database.ts";
import { waitFor } from "../harness/wait.ts";
import { type FaultRig, openFaultRig, PATIENCE_MS, type Side } from "./fault-rig.ts";
import { everything, seed } from "./schedule.ts";

let rig: FaultRig;

beforeAll(async () => {
  rig = await openFaultRig();
  // The server looks for deadlocks when somebody has waited so long.
  await rig.rig.target.query("do $$ begin execute format('alter database %I set deadlock_timeout = ''20ms''', current_database()); end $$");
  await rig.start();
});

afterAll(() => rig[Symbol.asyncDispose]());

/** What becomes of our statement, before the lock is given back. */
const ends = ["left alone", "cancelled", "terminated"] as const;

/** Ours on the source and in the control database, the user's on the target: locked against writers only, as the audit reads them all the time. */
const lockable: [Side, string, string][] = [
  ["source", "bucardo.checkpoint", "access exclusive"],
  ["source", "bucardo.subscription", "access exclusive"],
  ["source", "bucardo.captured_table", "access exclusive"],
  ["source", "bucardo.generation", "access exclusive"],
  ["source", "bucardo.truncation", "access exclusive"],
  ["source", "bucardo.checkpoint", "share"],
  ["source", "bucardo.intent", "exclusive"],
  ["target", "account", "share"],
  ["target", "purse", "share row exclusive"],
  ["control", "bucardo.run", "access exclusive"],
  ["control", "bucardo.kick_target", "exclusive"],
  ["control", "bucardo.target_state", "exclusive"],
];

/** The short form ends each lock in one way, by turns. */
const cases = lockable.flatMap(([side, table, mode], turn) =>
  ends.filter((_, way) => everything || way === (turn + seed) % ends.length).map((end) => [side, table, mode, end] as const),
);

test.for(cases)(
  `somebody holds a lock on the %s, %s in %s mode, and our statement is %s (seed ${seed})`,
  { timeout: 2 * PATIENCE_MS },
  async ([side, table, mode, end]) => {
    await rig.change();
    const holder = await rig.database(side).client();
    await holder.query(`begin; lock table ${table} in ${mode} mode`);
    const kick = await rig.rig.kick();
    await rig.untilBlocked(side);
    await endOurs(rig.database(side), end);
    await holder.query("commit");
    await rig.healed(kick);
    await holder.end();
  },
);

test("somebody holds a lock on a table of the source: no writer queues behind us", { timeout: 2 * PATIENCE_MS }, async () => {
  await rig.change();
  const holder = await rig.rig.source.client();
  await holder.query("begin; lock table account in access exclusive mode");
  const kick = await rig.rig.kick();
  await waitFor(async () => (await rig.rig.runs()).at(-1)?.error_code === "lock-timeout", {
    what: "a run to give the lock up",
    timeoutMs: PATIENCE_MS,
  });
  await holder.query("commit");
  await rig.healed(kick);
  await holder.end();
});

test(
  "somebody who wrote on the target waits for us while we wait for him, and the server ends us",
  { timeout: 2 * PATIENCE_MS },
  async () => {
    await rig.change();
    await rig.healed(await rig.rig.kick());
    await rig.change();
    const other = await rig.rig.target.client();
    // The later of the two tables is his, so that we hold rows of the earlier one when we meet; he is the one who waits for ever.
    await other.query("set deadlock_timeout = '1h'; begin; select from purse for update");
    const { pid } = (await other.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]!;
    let theirs: Promise<unknown> = Promise.resolve();
    using here = rig.at("replicate.table-applied", async () => {
      theirs = other.query("lock table account in share mode");
      const waits = "select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'";
      await waitFor(async () => (await rig.rig.target.query(waits, [pid])).length > 0, {
        what: "him to wait for us",
        timeoutMs: PATIENCE_MS,
      });
    });
    const kick = await rig.rig.kick();
    await waitFor(() => here.reached, { what: "the run to write", timeoutMs: PATIENCE_MS });
    await waitFor(async () => (await rig.rig.runs()).some((run) => run.error_code === "serialization"), {
      what: "the deadlock",
      timeoutMs: PATIENCE_MS,
    });
    await theirs;
    await other.query("rollback");
    await rig.healed(kick);
    await other.end();
  },
);

test("the target asks us to repeat the transaction", { timeout: 2 * PATIENCE_MS }, async () => {
  await rig.rig.target.query(`
    create sequence public.asked;
    create function ask() returns trigger language plpgsql as $$
      begin if nextval('public.asked') <= 3 then raise exception 'once more' using errcode = '40001'; end if; return null; end $$;
    create trigger ask after insert on note for each statement execute procedure ask();
    alter table note enable always trigger ask`);
  await rig.change();
  const before = (await rig.rig.runs()).length;
  await rig.healed(await rig.rig.kick());
  const codes = (await rig.rig.runs()).slice(before).map((run) => run.error_code);
  expect(codes.filter((code) => code === "serialization")).toHaveLength(3);
  await rig.rig.target.query("drop trigger ask on note; drop function ask(); drop sequence asked");
});

test("told to stop after all that, the daemon leaves nothing behind", async () => {
  await rig.stop();
});

async function endOurs(database: TestDatabase, end: (typeof ends)[number]): Promise<void> {
  if (end === "left alone") return;
  const call = end === "cancelled" ? "pg_cancel_backend" : "pg_terminate_backend";
  // Whoever waited a moment ago may have given up by itself, and comes again.
  const text = `select ${call}(pid) from pg_stat_activity
    where datname = current_database() and application_name like 'bucardo%' and wait_event_type = 'Lock'`;
  await waitFor(async () => (await database.query(text)).length > 0, { what: "a statement of ours to be ended", timeoutMs: PATIENCE_MS });
}
