import { expect, test } from "vitest";
import { openRig } from "./rig.ts";

const table =
  "create table t (id int primary key, v text); create table k (k text primary key, v text); create table j (id int primary key, j json, b jsonb, a text[])";
const tables = ["t", "k", "j"];

test.for([
  ["LATIN1", "UTF8", 10, 18, "Grüße ÿ¡"],
  ["EUC_JP", "UTF8", 15, 18, "日本語 テスト ｱ"],
  ["UTF8", "LATIN1", 18, 10, "Grüße ÿ¡"],
  ["LATIN9", "LATIN1", 15, 15, "ÀÉß"],
] as const)("text of %s arrives in %s (%i to %i)", async ([from, to, source, target, text]) => {
  await using rig = await openRig({ majors: [source, target], sourceEncoding: from, targetEncoding: to, schema: table, tables });
  await rig.source.query("insert into t values (1, $1), (2, '')", [text]).catch(() => undefined);
  await rig.source.query(`insert into t values (1, '${text}'), (2, 'ascii') on conflict do nothing`);
  await rig.source.query(`insert into k values ('${text}', '${text}'), ('${text}2', null)`);
  await rig.source.query(`insert into j values (1, '{"${text}": "${text}"}', '["${text}"]', array['${text}', null])`);
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  await rig.source.query(`update k set k = k || '${text}'; delete from t where v = '${text}'`);
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("names of tables and columns cross encodings too", async () => {
  await using rig = await openRig({
    majors: [15, 18],
    sourceEncoding: "LATIN1",
    schema: 'create schema "Schätze"; create table "Schätze"."Größe" ("Schlüssel" int primary key, "Ärger" text)',
    tables: ["Schätze.Größe"],
  });
  await rig.source.query(`insert into "Schätze"."Größe" values (1, 'ä'), (2, 'ö')`);
  await rig.run();
  await rig.source.query(`update "Schätze"."Größe" set "Schlüssel" = 3 where "Ärger" = 'ö'`);
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("bytes without an encoding are carried while they are valid, and refused with the table's name when they are not", async () => {
  await using rig = await openRig({ majors: [12, 18], sourceEncoding: "SQL_ASCII", schema: table, tables });
  await rig.source.query("insert into t values (1, 'Grüße 漢字'); insert into k values ('ключ', 'x')");
  await rig.run();
  expect(await rig.differences()).toEqual([]);

  await rig.source.query("insert into k values ('fine', 'y'); insert into t values (2, E'latin \\xfc'), (3, 'also fine')");
  await expect(rig.run()).rejects.toMatchObject({
    code: "encoding",
    details: { table: "public.t", sqlstate: "22021", sync: "rig" },
    message: expect.stringMatching(/invalid byte sequence for encoding "UTF8"[^x]*$/) as string,
  });
  expect(await rig.target.one("select (select count(*)::int from t) as t, (select count(*)::int from k) as k")).toEqual({ t: 1, k: 1 });

  await rig.source.query("update t set v = 'mended' where id = 2");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("SQL_ASCII to SQL_ASCII carries any bytes", async () => {
  await using rig = await openRig({ majors: [10, 18], sourceEncoding: "SQL_ASCII", targetEncoding: "SQL_ASCII", schema: table, tables });
  await rig.source.query("insert into t values (1, E'\\xff\\xfe\\x80 any'); insert into k values (E'\\xc3', E'\\x28')");
  await rig.run();
  const bytes = "select id, encode(v::bytea, 'hex') as v from t";
  expect(await rig.target.query(bytes)).toEqual(await rig.source.query(bytes));
  await rig.source.query("update k set k = E'\\xc4', v = 'changed'");
  await rig.run();
  expect(await rig.target.query("select encode(k::bytea, 'hex') as k, v from k")).toEqual([{ k: "c4", v: "changed" }]);
});

test("a character that the target's encoding lacks is refused with the table's name, and nothing changes", async () => {
  await using rig = await openRig({ majors: [18, 15], targetEncoding: "LATIN1", schema: table, tables });
  await rig.source.query("insert into t values (1, 'Grüße'); insert into k values ('a', 'fine')");
  await rig.run();
  await rig.source.query("insert into k values ('b', 'fine'); insert into t values (2, '漢字')");
  await expect(rig.run()).rejects.toMatchObject({
    code: "encoding",
    details: { table: "public.t", sqlstate: "22P05" },
    message: expect.not.stringContaining("0x") as string,
  });
  expect(await rig.target.one("select (select count(*)::int from t) as t, (select count(*)::int from k) as k")).toEqual({ t: 1, k: 1 });
  await rig.source.query("delete from t where id = 2");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});
