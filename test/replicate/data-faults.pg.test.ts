import { describe, expect, test } from "vitest";
import { BucardoError } from "../../src/model/error.ts";
import type { OnError } from "../../src/model/sync.ts";
import { dataFaults, type DataFaultCase } from "./data-fault-case.ts";
import { openRig, type Rig } from "./rig.ts";

async function failedRun(rig: Rig): Promise<BucardoError> {
  const error: unknown = await rig.run().then(
    () => null,
    (failure: unknown) => failure,
  );
  if (!(error instanceof BucardoError)) throw new Error(`the run did not fail as expected: ${String(error)}`);
  return error;
}

function fill(text: string): string {
  return text.replaceAll("%", (_match, at: number) =>
    text.slice(at, at + 3) === "% 2" || text.slice(at, at + 6) === "% here" ? "%" : "t",
  );
}

async function rigOf(of: DataFaultCase, onError: OnError): Promise<Rig> {
  const rig = await openRig({
    schema: fill(of.source),
    targetSchema: fill(of.target),
    tables: ["t"],
    strict: false,
    onError,
    ...(of.targetEncoding === undefined ? {} : { targetEncoding: of.targetEncoding }),
  });
  if (of.before !== undefined) await rig.target.query(fill(of.before));
  return rig;
}

describe.each(dataFaults)("$what", (of) => {
  test("stop: nothing of the run stays, the error names table, key, what refused it and the SQLSTATE; mended, the next run succeeds", async () => {
    await using rig = await rigOf(of, "stop");
    await rig.source.query(fill(of.write));
    const before = await rig.target.query("select count(*)::int as n from t");
    const error = await failedRun(rig);
    expect(error).toMatchObject({ code: of.code ?? "data-rejected", details: { sqlstate: of.sqlstate, table: "public.t", key: of.key } });
    expect(error.message).toContain(of.names);
    expect(error.advice).not.toBe("");
    expect(`${error.message} ${error.advice}`).not.toContain("SECRET");
    expect(await rig.target.query("select count(*)::int as n from t")).toEqual(before);
    await rig.target.query(fill(of.mend));
    if (of.code === "encoding") await rig.source.query("update t set v = 'mended' where id = 2");
    await rig.run();
    expect(await rig.differences()).toEqual([]);
  });

  test("set_aside: all other rows arrive, the key and the row wait on the source; replayed after mending, both sides are equal", async () => {
    await using rig = await rigOf(of, "set_aside");
    await rig.source.query(fill(of.write));
    const result = await rig.run();
    expect(result.tables).toMatchObject([{ table: "public.t", setAside: 1 }]);
    expect(result.setAside).toBe(1);
    const aside = await rig.source.query("select key, sqlstate, message, image is not null as kept, replay from bucardo.set_aside");
    expect(aside).toMatchObject([
      { key: of.key.split(", ").map((part) => part.split("=")[1]), sqlstate: of.sqlstate, kept: true, replay: false },
    ]);
    expect(JSON.stringify(aside)).not.toContain("SECRET");
    expect(await rig.target.query(`select from t where ${fill(of.key).replaceAll(", ", " and ").replace("part=p", "part='p'")}`)).toEqual(
      [],
    );
    const written = await rig.target.query("select count(*)::int as n from t");
    expect(written).toEqual(await rig.source.query(`select count(*)::int - 1 + ${of.before === undefined ? 0 : 1} as n from t`));
    await rig.target.query(fill(of.mend));
    if (of.code === "encoding") await rig.source.query("update t set v = 'mended' where id = 2");
    else await rig.source.query("update bucardo.set_aside set replay = true");
    expect((await rig.run()).setAside).toBe(0);
    expect(await rig.source.query("select from bucardo.set_aside")).toEqual([]);
    expect(await rig.differences()).toEqual([]);
  });
});
