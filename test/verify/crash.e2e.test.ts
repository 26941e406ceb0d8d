import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { onPoint } from "../../src/base/point.ts";
import { Proof } from "../../src/verify/proof.ts";
import type { TablePrint } from "../../src/verify/table-hash.ts";
import type { TestDatabase } from "../harness/database.ts";
import { exec } from "../harness/exec.ts";
import { ensureBuilt } from "../harness/shared-server.ts";
import { openRig, openSession, type Rig } from "../replicate/rig.ts";

// Not within the time of whichever test comes first.
beforeAll(ensureBuilt, 240_000);

const child = fileURLToPath(new URL("proof-child.mjs", import.meta.url));
const pieceBytes = 64 * 1024;

/** A proof by the built program, which is killed when it passes the point for the third time. */
function killedAt(rig: Rig, point: string) {
  const side = (name: string, { connection }: TestDatabase) => {
    const { host, port, user, database } = connection;
    return { name, host, port, user, dbname: database };
  };
  const job = { definition: rig.definition(), installation: rig.installation, pieceBytes };
  const text = JSON.stringify({ ...job, source: side("source", rig.source), target: side("target", rig.target) });
  return exec(process.execPath, [child, text], { env: { ...process.env, BUCARDO_POINT: `${point}=kill:3` } });
}

async function openProof(rig: Rig, prints: Map<string, TablePrint>) {
  const pair = async () => ({ source: await openSession(rig.source, "source"), target: await openSession(rig.target, "target") });
  const { source, target } = await pair();
  const proof = await Proof.open({
    source,
    target,
    definition: rig.definition(),
    installation: rig.installation,
    advance: () => rig.run(),
    open: pair,
    pieceBytes,
    onPrint: async ({ name }, print) => void prints.set(name, print),
  });
  return { proof, [Symbol.asyncDispose]: () => Promise.all([source.close(), target.close()]).then(() => undefined) };
}

const states = (rig: Rig): Promise<{ done: number; left: number }> =>
  rig.source.one(
    "select count(*) filter (where state = 'done')::int as done, count(*) filter (where state = 'waiting')::int as left from bucardo.proof_piece",
  );

test("killed at each point of a piece, what was shown stays shown, and only what is left is looked at", async () => {
  const schema = "create table large (id int primary key, v text)";
  const fill = "insert into large select i, repeat('x', 60) || i from generate_series(1, 6000) i";
  const hashes = new Set<string>();
  for (const [point, done] of [
    ["verify.piece-claimed", 2],
    ["verify.piece-hashed", 2],
    ["verify.piece-shown", 3],
  ] as const) {
    await using rig = await openRig({ schema, tables: ["large"], majors: [13, 18] });
    await rig.source.query(fill);
    await rig.run();
    await rig.dropSessions();
    const killed = await killedAt(rig, point);
    expect(killed, killed.stderr).toMatchObject({ signal: "SIGKILL" });
    const before = await states(rig);
    expect(before).toEqual({ done, left: expect.any(Number) });
    expect(before.left).toBeGreaterThan(2);

    // Changed after it was shown or before it is: either way the keys tell.
    await rig.source.query("update large set v = 'touched' where id in (1, 5999)");
    const prints = new Map<string, TablePrint>();
    let hashed = 0;
    {
      await using again = await openProof(rig, prints);
      using _ = onPoint((reached) => {
        if (reached === "verify.piece-hashed") hashed++;
      });
      await again.proof.bulk();
      await rig.target.query("set session_replication_role = replica; update large set v = 'wrong' where id = 1");
      await rig.source.query("update large set v = v where id = 1");
      await expect(again.proof.finish(async () => undefined)).rejects.toMatchObject({ code: "not-equal" });
    }
    expect({ point, hashed }).toEqual({ point, hashed: before.left });
    expect(await states(rig)).toEqual({ done: done + before.left, left: 0 });
    expect(prints.get("large")).toMatchObject({ rows: 6000, hash: expect.stringMatching(/^[0-9a-f]{16}$/) });
    hashes.add(prints.get("large")!.hash);
  }
  // The first row was looked at before it changed, the other one after: the same each time, whoever looked.
  expect(hashes.size).toBe(1);
});
