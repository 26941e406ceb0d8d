import { expect, test } from "vitest";
import { copyBetween, copyOrKeep } from "../../src/postgres/copy.ts";
import { sql } from "../../src/postgres/sql.ts";
import { transaction } from "../../src/postgres/transaction.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { answers, openDatabase } from "./rig.ts";

const shape = `(id bigint primary key, small smallint, word text, price numeric, at timestamptz, day date, yes boolean, raw bytea, doc jsonb,
  tags text[], u uuid, span interval, f double precision)`;

const rows = `select g as id, g % 100, case when g % 7 = 0 then null else E'it''s \\t tab \\\\ back ' || repeat('ä', g % 50) end, g / 7.0,
  '2000-01-01'::timestamptz + g * interval '1 hour', '1999-12-31'::date + g, g % 2 = 0, decode(md5(g::text), 'hex') || E'\\\\000'::bytea,
  jsonb_build_object('g', g), array[g::text, null, ''], md5(g::text)::uuid, g * interval '1 minute', g / 3.0`;

// Before 12 the text of a double has other digits for the same value.
const fingerprint = `select count(*), md5(string_agg(concat_ws('|', id, small, word, price, at, day, yes, raw, doc, tags, u, span, float8send(f)), E'\\n' order by id)) as sum
  from public.t`;

test.for([
  { from: 10, to: 18, format: "text" },
  { from: 18, to: 10, format: "text" },
  { from: 15, to: 15, format: "binary" },
  { from: 12, to: 18, format: "binary" },
] as const)("rows of all kinds arrive as they were: $from to $to as $format", async ({ from, to, format }) => {
  await using source = await openDatabase(await sharedServer(from));
  await using target = await openDatabase(await sharedServer(to));
  for (const { session } of [source, target]) await session.script(sql("test.shape", `create table public.t ${shape}`));
  await source.session.script(sql("test.fill", `insert into public.t ${rows} from generate_series(1, 20000) g`));
  const seen: number[] = [];

  const result = await transaction(source.session, { isolation: "repeatable read", readOnly: true }, () =>
    transaction(target.session, {}, () =>
      copyBetween({
        from: source.session,
        fromText: sql("test.out", `copy public.t to stdout (format ${format})`),
        to: target.session,
        toText: sql("test.in", `copy public.t from stdin (format ${format})`),
        onBytes: (total) => seen.push(total),
      }),
    ),
  );

  expect(result).toMatchObject({ rows: 20_000, sent: 20_000 });
  expect(seen.at(-1)).toBe(result.bytes);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(await target.session.one(sql("test.sum", fingerprint))).toEqual(await source.session.one(sql("test.sum", fingerprint)));
});

test("a few rows are kept and travel with the statements of a batch, more than that go on by themselves", async () => {
  const server = await sharedServer(15);
  await using source = await openDatabase(server);
  await using target = await openDatabase(server);
  await target.session.script(sql("test.shape", "create table public.t (a text)"));
  const toText = sql("test.in", "copy public.t from stdin");
  const job = (text: string) => ({
    from: source.session,
    fromText: sql("test.out", `copy (${text}) to stdout`),
    to: target.session,
    toText,
  });
  const held = () =>
    target.session.one(sql("test.held", "select count(*) as rows, min(a) as least, max(length(a)) as longest from public.t"));

  const few = await copyOrKeep(job("select 'a\tb' from generate_series(1, 10)"), 1000);
  expect(few).toMatchObject({ rows: 10, sent: 10, bytes: 50 });
  expect(await held()).toMatchObject({ rows: 0 });
  const upper = sql("test.upper", "update public.t set a = upper(a)");
  const answered = await target.session.batch([{ ...toText, copyIn: few.kept! }, upper]);
  expect(answered.map(({ count }) => count)).toEqual([10, 10]);
  expect(await held()).toEqual({ rows: 10, least: "A\tB", longest: 3 });
  expect((await copyOrKeep(job("select where false"), 1000)).kept).toEqual([]);

  for (const [many, size] of [
    [3, 1000],
    [1, 3_000_000],
    [20_000, 200],
  ] as const) {
    const text = `select repeat('b', ${size}) from generate_series(1, ${many})`;
    expect(await copyOrKeep(job(text), 1000)).toEqual({ rows: many, sent: many, bytes: many * (size + 1), kept: null });
    expect(await held()).toMatchObject({ rows: 10 + many, longest: size });
    await target.session.script(sql("test.empty", "delete from public.t where a like 'b%'"));
  }

  const bad = { ...toText, copyIn: (await copyOrKeep(job("select 1, 2"), 1000)).kept! };
  await expect(target.session.batch([bad, upper])).rejects.toMatchObject({ details: { sqlstate: "22P04" } });
  const missing = { ...job("select repeat('c', 2000000)"), toText: sql("test.in", "copy public.missing from stdin") };
  await expect(copyOrKeep(missing, 1000)).rejects.toMatchObject({ details: { sqlstate: "42P01" } });
  await expect(copyOrKeep(job("select repeat('c', 100000) || 1 / (3 - g) from generate_series(1, 5) g"), 1000)).rejects.toMatchObject({
    details: { sqlstate: "22012" },
  });
  expect(await answers(source.session)).toBe(true);
  expect(await answers(target.session)).toBe(true);
  expect(await held()).toMatchObject({ rows: 10 });
});

test("the bytes counted are those of the data", async () => {
  const server = await sharedServer(15);
  await using source = await openDatabase(server);
  await using target = await openDatabase(server);
  await target.session.script(sql("test.shape", "create table public.t (a text)"));
  const job = {
    from: source.session,
    fromText: sql("test.out", "copy (select 'abc' from generate_series(1, 10)) to stdout"),
    to: target.session,
    toText: sql("test.in", "copy public.t from stdin"),
  };
  expect(await copyBetween(job)).toEqual({ rows: 10, sent: 10, bytes: 40 });
});

test("nothing to copy is no problem, and many copies run over the same two sessions", async () => {
  const server = await sharedServer(15);
  await using source = await openDatabase(server);
  await using target = await openDatabase(server);
  await target.session.script(sql("test.shape", "create table public.t (a int)"));
  for (const count of [0, 1, 2, 0, 1000]) {
    const { rows: arrived } = await copyBetween({
      from: source.session,
      fromText: sql("test.out", `copy (select g from generate_series(1, ${count}) g) to stdout`),
      to: target.session,
      toText: sql("test.in", "copy public.t from stdin"),
    });
    expect(arrived).toBe(count);
  }
  expect(await target.session.one(sql("test.count", "select count(*) as n from public.t"))).toEqual({ n: 1003 });
});

test("rows that the target swallows show as a difference", async () => {
  const server = await sharedServer(15);
  await using source = await openDatabase(server);
  await using target = await openDatabase(server);
  await target.session.script(
    sql(
      "test.shape",
      `create table public.t (a int);
       create function public.swallow() returns trigger language plpgsql as 'begin if new.a % 2 = 0 then return null; end if; return new; end';
       create trigger swallow before insert on public.t for each row execute procedure public.swallow()`,
    ),
  );
  const job = {
    from: source.session,
    fromText: sql("test.out", "copy (select g from generate_series(1, 10) g) to stdout"),
    to: target.session,
    toText: sql("test.in", "copy public.t from stdin"),
  };
  expect(await copyBetween(job)).toMatchObject({ rows: 5, sent: 10 });
});

test("notices, changed parameters and a table that everybody waits for in between do not disturb", async () => {
  const server = await sharedServer(15);
  await using source = await openDatabase(server);
  await using target = await openDatabase(server);
  await source.session.script(
    sql(
      "test.noisy",
      `create function public.noisy(g int) returns int language plpgsql as $$
         begin
           raise warning 'row %', repeat(g::text, 1000);
           perform set_config('application_name', 'row ' || g, false);
           return g;
         end $$`,
    ),
  );
  await target.session.script(
    sql(
      "test.shape",
      `create table public.t (a int, b text);
       create function public.noisy() returns trigger language plpgsql as 'begin raise warning ''%'', new.a; return new; end';
       create trigger noisy before insert on public.t for each row execute procedure public.noisy()`,
    ),
  );
  const { rows: arrived } = await copyBetween({
    from: source.session,
    fromText: sql("test.out", "copy (select public.noisy(g), repeat('x', g % 3000) from generate_series(1, 3000) g) to stdout"),
    to: target.session,
    toText: sql("test.in", "copy public.t from stdin"),
  });
  expect(arrived).toBe(3000);
  expect(await target.session.one(sql("test.sum", "select sum(a) as a, sum(length(b)) as b from public.t"))).toEqual({
    a: 4501500,
    b: 4498500,
  });
  expect(await answers(source.session)).toBe(true);
});

test("text of other encodings is carried where it can be, and refused where it cannot", async () => {
  const server = await sharedServer(15);
  const copy = async (from: string, text: string, to: string) => {
    await using source = await openDatabase(server, { encoding: from });
    await using target = await openDatabase(server, { encoding: to });
    expect([source.session.serverEncoding, target.session.serverEncoding]).toEqual([from, to]);
    for (const { session } of [source, target]) await session.script(sql("test.shape", "create table public.t (a text)"));
    await source.session.script(sql("test.fill", `insert into public.t values (${text})`));
    const job = {
      from: source.session,
      fromText: sql("test.out", "copy public.t to stdout"),
      to: target.session,
      toText: sql("test.in", "copy public.t from stdin"),
    };
    await copyBetween(job);
    return (await target.session.one<{ a: string }>(sql("test.read", "select a from public.t"))).a;
  };
  expect(await copy("LATIN1", "'gr\u00fc\u00dfe'", "UTF8")).toBe("gr\u00fc\u00dfe");
  expect(await copy("EUC_JP", "'\u65e5\u672c'", "UTF8")).toBe("\u65e5\u672c");
  expect(await copy("UTF8", "'gr\u00fc\u00dfe'", "LATIN1")).toBe("gr\u00fc\u00dfe");
  expect(await copy("SQL_ASCII", "'gr\u00fc\u00dfe'", "UTF8")).toBe("gr\u00fc\u00dfe"); // bytes that are valid by luck
  await expect(copy("UTF8", "'\u65e5'", "LATIN1")).rejects.toMatchObject({ code: "encoding", details: { sqlstate: "22P05" } });
  await expect(copy("SQL_ASCII", "convert_from('\\xff'::bytea, 'SQL_ASCII')", "UTF8")).rejects.toMatchObject({
    code: "encoding",
    details: { sqlstate: "22021" },
  });
});

test("other statements of the sessions wait until the copy has ended", async () => {
  const server = await sharedServer(15);
  await using source = await openDatabase(server);
  await using target = await openDatabase(server);
  await target.session.script(sql("test.shape", "create table public.t (a int)"));
  const copied = copyBetween({
    from: source.session,
    fromText: sql("test.out", "copy (select g from generate_series(1, 100000) g) to stdout"),
    to: target.session,
    toText: sql("test.in", "copy public.t from stdin"),
  });
  const counted = target.session.one(sql("test.count", "select count(*) as n from public.t"));
  expect(await counted).toEqual({ n: 100_000 });
  await copied;
});

test("a statement that is no COPY is a mistake of ours, not an empty copy", async () => {
  const server = await sharedServer(15);
  await using source = await openDatabase(server);
  await using target = await openDatabase(server);
  await target.session.script(sql("test.shape", "create table public.t (a int)"));
  const job = {
    from: source.session,
    fromText: sql("test.out", "select 1"),
    to: target.session,
    toText: sql("test.in", "copy public.t from stdin"),
  };
  await expect(copyBetween(job)).rejects.toThrow(/broken invariant/);
});
