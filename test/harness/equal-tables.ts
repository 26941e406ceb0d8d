import type pg from "pg";
import type { TestDatabase } from "./database.ts";

const shownDifferences = 10;

/**
 * Compares tables row by row with queries of its own, which share nothing with the product's compare. Gives the differences as lines of
 * text; an empty list means equal. Both sides must be at rest.
 * @param tables names as in SQL; `public` when unqualified. A partitioned or inherited table means its whole tree.
 */
export async function equalTables(source: TestDatabase, target: TestDatabase, tables: readonly string[]): Promise<string[]> {
  const [from, to] = [await reader(source), await reader(target)];
  try {
    const differences: string[] = [];
    for (const table of tables) differences.push(...(await equalTable(from, to, table)));
    return differences;
  } finally {
    await Promise.all([from.end(), to.end()]);
  }
}

async function reader(database: TestDatabase): Promise<pg.Client> {
  const client = await database.client({ application_name: "equalTables" });
  await client.query(`
    set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set extra_float_digits = 3; set bytea_output = 'hex';
    set client_encoding = 'UTF8'; set search_path = 'public'; set row_security = off; set statement_timeout = 0; set xmloption = 'content'`);
  return client;
}

async function equalTable(from: pg.Client, to: pg.Client, table: string): Promise<string[]> {
  const row = await rowExpression(from, table);
  const [ours, theirs] = [
    `select md5(${await bytes(from)}) as hash, row from (${row}) r`,
    `select md5(${await bytes(to)}) as hash, row from (${row}) r`,
  ];
  // A sum of hashes says "equal" quickly; who differs is asked only when it says otherwise.
  const [left, right] = await Promise.all([summary(from, ours), summary(to, theirs)]).catch((error: unknown) => {
    throw new Error(`${table} cannot be compared: ${String(error)}`, { cause: error });
  });
  if (left.rows === right.rows && left.sum === right.sum && left.more === right.more) return [];
  const [all, others] = await Promise.all([hashed(from, ours), hashed(to, theirs)]);
  const missing = without(all, others).map((line) => `${table}: only in source: ${line}`);
  const extra = without(others, all).map((line) => `${table}: only in target: ${line}`);
  const lines = [...cut(missing), ...cut(extra)];
  return [`${table}: ${left.rows} rows in source, ${right.rows} in target`, ...lines];
}

type Summary = { rows: string; sum: string; more: string };
type Row = { hash: string; row: string };

async function summary(client: pg.Client, rows: string): Promise<Summary> {
  const { rows: answer } = await client.query<Summary>(
    `select count(*)::text as rows, coalesce(sum(('x' || substr(hash, 1, 15))::bit(60)::bigint), 0)::text as sum,
       coalesce(sum(('x' || substr(hash, 18, 15))::bit(60)::bigint), 0)::text as more from (${rows}) s`,
  );
  return answer[0] as Summary;
}

async function hashed(client: pg.Client, rows: string): Promise<Row[]> {
  return (await client.query<Row>(`select hash, left(row, 200) as row from (${rows}) s order by row`)).rows;
}

/** The bytes of a row in UTF-8; a database in SQL_ASCII has bytes and nothing to convert. */
async function bytes(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ server_encoding: string }>("show server_encoding");
  return ["UTF8", "SQL_ASCII"].includes(rows[0]?.server_encoding ?? "") ? "row" : "convert_to(row, 'UTF8')";
}

/** Each row as one text, with NULLs and separators told apart; floats by their bits, as their text changed with version 12. */
async function rowExpression(client: pg.Client, table: string): Promise<string> {
  const { rows } = await client.query<{ part: string }>(
    `select case when t.typname in ('float4', 'float8') then format('encode(pg_catalog.%ssend(%I), ''hex'')', t.typname, a.attname)
                 else format('(%I)::text', a.attname) end as part
     from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped order by a.attname`,
    [table],
  );
  const parts = rows.map(({ part }) => `quote_nullable(${part})`);
  return `select array_to_string(array[${parts.join(", ")}]::text[], ', ') as row from ${table}`;
}

function without(rows: readonly Row[], others: readonly Row[]): string[] {
  const counts = new Map<string, number>();
  for (const { hash } of others) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  return rows
    .filter(({ hash }) => {
      const left = counts.get(hash) ?? 0;
      counts.set(hash, left - 1);
      return left <= 0;
    })
    .map(({ row }) => row);
}

function cut(lines: readonly string[]): string[] {
  const more = lines.length - shownDifferences;
  return more > 0 ? [...lines.slice(0, shownDifferences), `... and ${more} more`] : [...lines];
}
