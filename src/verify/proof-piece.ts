import { readFile } from "node:fs/promises";
import { ensureCaptureSchema, lockCapture } from "../capture/schema.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import type { TablePiece } from "./cut-table.ts";
import { hashOfSums, numberOfHash, type TablePrint } from "./table-hash.ts";

/** A piece that a worker looks at. */
export type ProofPiece = Omit<TablePiece, "source"> & { readonly id: number; readonly captured: number };

/** Of sql/verify, in their order. */
const FILES = ["0001-initial.sql", "0002-hash.sql"];

/** Makes our table on a source, once. */
export async function ensureProofSchema(source: Session): Promise<void> {
  if ((await proofVersion(source)) === FILES.length) return;
  await ensureCaptureSchema(source);
  const texts = await Promise.all(FILES.map((file) => readFile(new URL(`../../sql/verify/${file}`, import.meta.url), "utf8")));
  await transaction(source, {}, async () => {
    await lockCapture(source);
    for (const text of texts.slice(await proofVersion(source))) await source.script(sql("verify.schema", text));
  });
}

/** How many of our files were run there. */
async function proofVersion(source: Session): Promise<number> {
  const { version } = await source.one<{ version: number }>(
    sql(
      "verify.schema-version",
      `select case when to_regclass('bucardo.proof_piece') is null then 0
                   when exists (select from pg_attribute where attrelid = to_regclass('bucardo.proof_piece') and attname = 'hash') then 2 else 1 end as version`,
    ),
  );
  return version;
}

/**
 * Writes down what is to be looked at. From its commit on the table counts as begun: whatever asks for the whole table again afterwards, a rewrite or a lost
 * trigger, says so in its subscription as before, and then begins anew.
 */
export async function writePieces(source: Session, sync: string, captured: number, pieces: readonly TablePiece[]): Promise<void> {
  await transaction(source, {}, async () => {
    await replacePieces(source, sync, captured, pieces);
    await source.execute(
      sql("verify.begun", "update bucardo.subscription set recopy = false where sync = $1 and captured_table = $2", [sync, captured]),
    );
  });
}

/** In a transaction, or one by itself: the pieces that were there are forgotten. */
export async function replacePieces(source: Session, sync: string, captured: number, pieces: readonly TablePiece[]): Promise<void> {
  await source.execute(
    sql(
      "verify.write-pieces",
      `with gone as (delete from bucardo.proof_piece where sync = $1 and captured_table = $2)
         insert into bucardo.proof_piece (sync, captured_table, part, target_schema, target_name, lower_bound, upper_bound, bytes)
         select $1, $2, p.part, p.target_schema, p.target_name, p.lower, p.upper, p.bytes
           from json_to_recordset($3::json) as p (part oid, target_schema text, target_name text, lower text[], upper text[], bytes bigint)`,
      [
        sync,
        captured,
        JSON.stringify(
          pieces.map(({ part, target, lower, upper, bytes }) => ({
            part,
            target_schema: target.schema,
            target_name: target.name,
            lower,
            upper,
            bytes,
          })),
        ),
      ],
    ),
  );
}

/** What was shown of the table counts no more. */
export async function beginAgain(source: Session, sync: string, captured: readonly number[]): Promise<void> {
  await transaction(source, {}, async () => {
    await source.execute(
      sql("verify.forget-pieces", "delete from bucardo.proof_piece where sync = $1 and captured_table = any ($2::int[])", [sync, captured]),
    );
    await source.execute(
      sql("verify.again", "update bucardo.subscription set recopy = true where sync = $1 and captured_table = any ($2::int[])", [
        sync,
        captured,
      ]),
    );
  });
}

/**
 * The first statement of a piece's REPEATABLE READ transaction: takes its snapshot, and keeps the piece for us while it lasts. `taken`: those that other
 * streams of this process are still busy with. Null: none is waiting. Errors: serialization, when somebody was quicker.
 */
export async function claimProofPiece(
  source: Session,
  sync: string,
  tables: readonly number[],
  taken: readonly number[],
): Promise<ProofPiece | null> {
  type Row = Omit<ProofPiece, "target"> & { schema: string; name: string };
  const [row] = await source.query<Row>(
    sql(
      "verify.claim",
      `select id, captured_table as captured, part, target_schema as schema, target_name as name, lower_bound as lower, upper_bound as upper, bytes
         from bucardo.proof_piece where sync = $1 and state = 'waiting' and captured_table = any ($2::int[]) and id <> all ($3::bigint[])
        order by id limit 1 for update skip locked`,
      [sync, tables, taken],
    ),
  );
  if (row === undefined) return null;
  const { schema, name, ...piece } = row;
  return { ...piece, target: { schema, name } };
}

/** False: the table has begun again meanwhile, and this piece is none any more. */
export async function recordShown(source: Session, { id }: ProofPiece, { rows, hash, onTheWay }: TablePrint): Promise<boolean> {
  const shown = await source.execute(
    sql(
      "verify.shown",
      `update bucardo.proof_piece set state = 'done', rows = $2, hash = $3, on_the_way = $4, done_at = clock_timestamp()
        where id = $1 and state = 'waiting'`,
      [id, rows, numberOfHash(hash), onTheWay],
    ),
  );
  return shown > 0;
}

/** By displayed name: what the pieces of a table held together, where all of them were shown. */
export async function readPiecePrints(source: Session, sync: string): Promise<Map<string, TablePrint>> {
  const rows = await source.query<QualifiedName & { rows: number; sum: string; onTheWay: number }>(
    sql(
      "verify.piece-prints",
      `select n.nspname::text as schema, c.relname::text as name, sum(p.rows)::bigint as rows, sum(p.hash)::text as sum, sum(p.on_the_way)::bigint as "onTheWay"
         from bucardo.proof_piece p join bucardo.captured_table t on t.id = p.captured_table
         join pg_class c on c.oid = t.relation join pg_namespace n on n.oid = c.relnamespace
        where p.sync = $1 group by 1, 2 having bool_and(p.state = 'done' and p.hash is not null)`,
      [sync],
    ),
  );
  return new Map(
    rows.map(({ schema, name, rows: count, sum, onTheWay }) => [
      displayName({ schema, name }),
      { rows: count, hash: hashOfSums([sum]), onTheWay },
    ]),
  );
}

export type PieceSums = { readonly captured: number; readonly bytes: number; readonly bytesDone: number; readonly waiting: number };

/** How far tables are that are looked at in pieces. */
export async function readPieceSums(source: Session, sync: string): Promise<PieceSums[]> {
  return source.query<PieceSums>(
    sql(
      "verify.piece-sums",
      `select captured_table as captured, sum(bytes)::bigint as bytes, coalesce(sum(bytes) filter (where state = 'done'), 0)::bigint as "bytesDone",
              (count(*) filter (where state = 'waiting'))::int as waiting
         from bucardo.proof_piece where sync = $1 group by 1`,
      [sync],
    ),
  );
}

/** Forgets the pieces of a proof, and takes our table away with the last one. */
export async function dropPieces(source: Session, sync: string): Promise<void> {
  if ((await proofVersion(source)) === 0) return;
  await source.execute(sql("verify.drop-pieces", "delete from bucardo.proof_piece where sync = $1", [sync]));
  await transaction(source, {}, async () => {
    await lockCapture(source);
    const { used } = await source.one<{ used: boolean }>(sql("verify.used", "select exists (select from bucardo.proof_piece) as used"));
    if (!used) await source.script(sql("verify.drop", "drop table if exists bucardo.proof_piece"));
  });
}
