import { expect, test } from "vitest";
import { endpointOf } from "../../src/migrate/endpoint.ts";
import { makeReport } from "../../src/migrate/make-report.ts";
import { makePlan, type Plan } from "../../src/migrate/plan.ts";
import { createDatabase, onServer } from "../harness/database.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { urlOf } from "../harness/server.ts";
import { openMove } from "./open-move.ts";

const options = { only: [], skip: [], jobs: 1, maxRate: null, roles: false, pgDump: "built-in", skipObjects: [] };

const stops = (plan: Plan): string[] => plan.findings.filter(({ grade }) => grade === "stop").map(({ what }) => what);

test.each([[13, 18] as const, [16, 14] as const])(
  "from %i to %i: all that a user lacks is told at once, with statements that mend it",
  async (from, to) => {
    const [older, younger] = [await sharedServer(from), await sharedServer(to)];
    await using old = await createDatabase(older);
    await using young = await createDatabase(younger);
    const user = `mover_${old.name}`;
    await old.query(`create role ${user} login; create schema app; create schema "Odd"; create table app.big (id int primary key); create table "Odd"."T" (line text);
      create table app.part (id int primary key) partition by range (id); create table app.part_1 partition of app.part for values from (0) to (9);
      create table app.left_out (id int primary key); insert into app.big select generate_series(1, 1000); create sequence app.s; select lo_create(5), lo_create(6)`);
    await onServer(younger, (admin) => admin.query(`create role ${user} login`));
    const signal = new AbortController().signal;
    const plan = (name = young.name) =>
      makePlan(
        { old: endpointOf("old", urlOf(older, old.name, user)), new: endpointOf("new", urlOf(younger, name, user)), signal },
        { ...options, skip: ["app.left_out"] },
      );
    try {
      const first = await plan();
      for (const part of ["app.big", "Odd.T", "app.s", "app.left_out", "app.part", "2 large objects", "create the schema bucardo"])
        expect(stops(first).join("\n")).toContain(part);
      const warnings = first.findings.filter(({ grade }) => grade === "warning").map(({ what }) => what);
      for (const part of ["no way back", "set session_replication_role", "insert, update or delete on app.", "set app.s on the old side"])
        expect(warnings.join("\n")).toContain(part);
      // Each remedy for the old side, as it stands there.
      for (const { what, remedy } of first.findings.filter((finding) => finding.grade === "stop" && !finding.what.includes("new")))
        for (const statement of statementsOf(remedy))
          await old.query(statement).catch((error: unknown) => Promise.reject(new Error(`${what}: ${statement}`, { cause: error })));
      expect(stops(await plan()).filter((what) => !what.startsWith("new"))).toEqual([]);
      // Where the new database is not there, its server is asked all the same.
      const missing = await plan(`${young.name}_not`);
      expect(stops(missing).join()).toContain("our user may not create it");
      expect(missing.findings.map(({ what }) => what).join("\n")).toMatch(/new: mover_\w+ may not set session_replication_role/);
      expect(missing).toMatchObject({ newVersion: expect.any(Number), estimate: { sample: { rows: 1000 } } });
    } finally {
      await old.query(`reassign owned by ${user} to postgres; drop owned by ${user}`);
      await onServer(younger, (admin) => admin.query(`drop role ${user}`));
      await onServer(older, (admin) => admin.query(`drop role ${user}`));
    }
  },
);

/** `On old: grant ...; grant ...; Or all at once: ...`: the statements that come first. */
function statementsOf(remedy: string): string[] {
  const text = remedy.replace(/^(On old|As a superuser): /, "").replace(/;? (Or all at once|or):.*$/is, ";");
  return /^(grant|create|do) /.test(text) ? [text] : [];
}

test("without a move there is nothing to report, whatever becomes of the new side", async () => {
  await using old = await createDatabase(await sharedServer(16));
  const ends = {
    old: endpointOf("old", old.url),
    new: endpointOf("new", "postgresql://127.0.0.1:1/nowhere"),
    signal: new AbortController().signal,
  };
  await expect(makeReport(ends, "bucardo")).rejects.toMatchObject({ code: "migration-missing" });
});

test("while a move is under way the plan says where it stands and what comes next", async () => {
  await using move = await openMove("create table t (id int primary key)");
  expect((await move.plan()).under).toBe(null);
  await move.start();
  expect(await move.plan()).toMatchObject({
    under: { phase: "ready", next: "cutover" },
    findings: expect.not.arrayContaining([expect.objectContaining({ grade: "stop" })]),
  });
  expect(stops(await move.plan(move.other)).join()).toContain("is being moved to");
  await move.turn("cutover");
  expect((await move.plan()).under).toMatchObject({ next: "finish" });
});
