import { imageColumn, imageDelta, imagePrint, readImageTables, type ImageTable } from "../capture/image-table.ts";
import { waits } from "../capture/waits.ts";
import { readTables } from "../catalog/table.ts";
import { backoff } from "../base/backoff.ts";
import { reach } from "../base/point.ts";
import { sleep } from "../base/sleep.ts";
import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { parseSnapshot } from "../model/snapshot.ts";
import { copyBetween } from "../postgres/copy.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { rollbackQuietly } from "../postgres/transaction.ts";
import { beginLocked } from "../replicate/lock.ts";
import { memberOf } from "../replicate/member.ts";
import { formOf, hashOf, joinedText, valueText } from "../verify/row-text.ts";
import { hashOfSums, type TablePrint } from "../verify/table-hash.ts";

export type KeylessJob = {
  readonly sync: { readonly id: string; readonly name: string };
  /** Two connections of its own, in no transaction. */
  readonly source: Session;
  readonly target: Session;
  /** Also show that both sides hold the same rows: reads the whole tables. */
  readonly prove: boolean;
  /** What each table held that was shown to be the same on both sides. */
  readonly onPrint?: (table: QualifiedName, print: TablePrint) => Promise<void>;
  readonly signal: AbortSignal;
};

/**
 * Brings the tables without key that are followed by row images to the source's state of now. Rows without a key are told apart by what is in them, and how
 * often: of what came and went since the last time the balance crosses, and so many equal rows are added, or taken away. That is not the same when it is done twice
 * (hazard 8): the source writes down, before the target commits, which state that will be, and the target's transaction tells afterwards whether it did.
 * A table that was truncated or rewritten, or was not copied yet, travels whole in one snapshot. Returns rows. Errors: not-equal, schema-mismatch, run-void.
 */
export async function followKeyless(job: KeylessJob): Promise<number> {
  const tables = await readImageTables(job.source, job.sync.id);
  if (tables.length === 0) return 0;
  await memberOf(job.target);
  let rows = 0;
  for (const table of tables) {
    job.signal.throwIfAborted();
    rows += await followTable(job, await settle(job, table));
  }
  return rows;
}

/** The same, repeated where a lock or somebody's rewrite was in the way. */
export async function followKeylessPatiently(job: KeylessJob): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await followKeyless(job);
    } catch (error) {
      const passes = error instanceof BucardoError && ["run-void", "lock-timeout", "serialization"].includes(error.code);
      if (!passes || attempt >= ATTEMPTS) throw error;
      await sleep(backoff(attempt), job.signal);
    }
  }
}

const ATTEMPTS = 12;

/** What an earlier call did not come to note. Errors: run-void (its transaction is still open). */
async function settle({ source, target }: KeylessJob, table: ImageTable): Promise<ImageTable> {
  if (table.targetXid === null) return table;
  const { status } = await target.one<{ status: string | null }>(
    sql("migrate.keyless-status", "select txid_status($1) as status", [table.targetXid]),
  );
  if (status === "in progress")
    throw new BucardoError("run-void", `${displayName(table.name)} is still being written to`, { db: target.name });
  const [snapshot, print] =
    status === "committed" ? [table.intent, table.intentPrint] : status === "aborted" ? [table.snapshot, table.print] : [null, null];
  await source.execute(
    sql(
      "migrate.keyless-settle",
      "update bucardo.image_table set snapshot = $3, print = $4, intent = null, intent_print = null, target_xid = null where id = $1 and target_xid = $2",
      [table.id, table.targetXid, snapshot, print],
    ),
  );
  return { ...table, snapshot, print, intent: null, intentPrint: null, targetXid: null };
}

async function followTable(job: KeylessJob, table: ImageTable): Promise<number> {
  const { source, target } = job;
  try {
    await beginLocked(target, job.sync);
    await source.execute(sql("migrate.keyless-begin", "begin isolation level repeatable read"));
    const { snapshot } = await source.one<{ snapshot: string }>(
      sql("migrate.keyless-snapshot", "select txid_current_snapshot()::text as snapshot"),
    );
    const plan = await planTable(job, table);
    if (plan.action === "nothing" && !job.prove) return 0;
    const rows = plan.action === "whole" ? await copyWhole(job, table) : await carryBalance(job, table);
    const print = job.prove ? await compareWhole(job, table) : null;
    await source.execute(sql("migrate.keyless-end", "commit"));
    const { xid } = await target.one<{ xid: number }>(sql("migrate.keyless-xid", "select txid_current() as xid"));
    // By whom nobody was quicker: a remnant of a lost command finds another state than it began with.
    const noted = await source.execute(
      sql(
        "migrate.keyless-intent",
        `update bucardo.image_table set intent = $2, intent_print = $3, target_xid = $4
          where id = $1 and target_xid is null and snapshot is not distinct from $5`,
        [table.id, snapshot, plan.print, xid, table.snapshot],
      ),
    );
    if (noted === 0) throw new BucardoError("run-void", `${displayName(table.name)} was carried by somebody else`, { db: source.name });
    await reach("migrate.keyless-noted");
    await target.execute(sql("migrate.keyless-commit", "commit"));
    await reach("migrate.keyless-committed");
    await source.execute(
      sql(
        "migrate.keyless-done",
        `update bucardo.image_table set snapshot = intent, print = intent_print, intent = null, intent_print = null, target_xid = null
          where id = $1 and target_xid = $2`,
        [table.id, xid],
      ),
    );
    if (print !== null) await job.onPrint?.(table.name, print);
    if (plan.action !== "nothing")
      await source.execute(
        sql("migrate.keyless-purge", `delete from ${quoteName(imageDelta(table.id))} where not ${waits("xid", parseSnapshot(snapshot))}`),
      );
    return rows;
  } finally {
    await rollbackQuietly(source);
    await rollbackQuietly(target);
  }
}

type Plan = { readonly action: "nothing" | "balance" | "whole"; readonly print: string };

/** Holds the table from here on: neither TRUNCATE nor a rewrite can take its rows from under the snapshot (hazard 2). Errors: schema-mismatch, run-void, lock-timeout. */
async function planTable({ source }: KeylessJob, table: ImageTable): Promise<Plan> {
  const name = displayName(table.name);
  await source.script(
    sql(
      "migrate.keyless-hold",
      `set local lock_timeout = '2s'; lock table only ${quoteName(table.name)} in access share mode; set local lock_timeout = 0`,
    ),
  );
  const { same } = await source.one<{ same: boolean }>(
    sql("migrate.keyless-same", "select exists (select from pg_class where oid = $1 and relfilenode = pg_relation_filenode(oid)) as same", [
      table.relation,
    ]),
  );
  if (!same) throw new BucardoError("run-void", `${name} was truncated or rewritten`, { db: source.name, table: name });
  const columns = await source.query<{ name: string }>(
    sql(
      "migrate.keyless-columns",
      `select a.attname::text as name from pg_attribute a where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped ${source.serverVersion >= 120000 ? "and a.attgenerated = ''" : ""} order by a.attnum`,
      [table.relation],
    ),
  );
  if (JSON.stringify(columns.map((column) => column.name)) !== JSON.stringify(table.columns))
    throw new BucardoError("schema-mismatch", `the columns of ${name} have changed since it is followed`, { db: source.name, table: name });
  const print = await imagePrint(source, table.relation);
  if (table.snapshot === null || print !== table.print) return { action: "whole", print };
  const { waiting, truncated } = await source.one<{ waiting: boolean; truncated: boolean }>(
    sql(
      "migrate.keyless-waiting",
      `select count(*) > 0 as waiting, coalesce(bool_or(n = 0), false) as truncated from ${quoteName(imageDelta(table.id))} where ${waits("xid", parseSnapshot(table.snapshot))}`,
    ),
  );
  return { action: truncated ? "whole" : waiting ? "balance" : "nothing", print };
}

function namesOf({ columns }: ImageTable): string {
  return columns.map(quoteIdent).join(", ");
}

async function copyWhole({ source, target, signal }: KeylessJob, table: ImageTable): Promise<number> {
  await target.execute(sql("migrate.keyless-empty", `delete from only ${quoteName(table.name)}`));
  const { rows } = await copyBetween({
    from: source,
    fromText: sql("migrate.keyless-read", `copy (select ${namesOf(table)} from only ${quoteName(table.name)}) to stdout`),
    to: target,
    toText: sql("migrate.keyless-fill", `copy ${quoteName(table.name)} (${namesOf(table)}) from stdin`),
    signal,
  });
  return rows;
}

/** Text of a row, the same for the same row on one server: NULL and its look-alikes differ, and 1.0 is not 1.00. */
function rowText(values: readonly string[]): string {
  return joinedText(values.map((value) => `${value}::text`));
}

/** Errors: not-equal, when rows that went are not there to be taken away. */
async function carryBalance({ source, target, signal }: KeylessJob, table: ImageTable): Promise<number> {
  const cut = parseSnapshot(table.snapshot!);
  const images = table.columns.map((_, index) => imageColumn(index));
  const stage = "pg_temp.bucardo_balance";
  await target.script(
    sql(
      "migrate.keyless-stage",
      `create temporary table bucardo_balance on commit drop as select 0::bigint as n, ${table.columns.map((name, index) => `${quoteIdent(name)} as ${images[index]}`).join(", ")}
         from only ${quoteName(table.name)} limit 0`,
    ),
  );
  await copyBetween({
    from: source,
    fromText: sql(
      "migrate.keyless-balance",
      `copy (select balance, ${images.join(", ")} from (
         select d.*, sum(d.n) over (partition by d.image) as balance, row_number() over (partition by d.image) as place
           from (select n, ${rowText(images)} as image, ${images.join(", ")} from ${quoteName(imageDelta(table.id))} where ${waits("xid", cut)}) d) b
        where place = 1 and balance <> 0) to stdout`,
    ),
    to: target,
    toText: sql("migrate.keyless-stage-fill", `copy ${stage} (n, ${images.join(", ")}) from stdin`),
    signal,
  });
  const { gone, come } = await target.one<{ gone: number; come: number }>(
    sql(
      "migrate.keyless-sums",
      `select coalesce(-sum(n) filter (where n < 0), 0)::int8 as gone, coalesce(sum(n) filter (where n > 0), 0)::int8 as come from ${stage}`,
    ),
  );
  const deleted =
    gone === 0
      ? 0
      : await target.execute(
          sql(
            "migrate.keyless-delete",
            `delete from only ${quoteName(table.name)} t using (
               select r.ctid as place, row_number() over (partition by r.image) as number, s.n
                 from (select t.ctid, ${rowText(table.columns.map((name) => `t.${quoteIdent(name)}`))} as image from only ${quoteName(table.name)} t) r
                 join (select n, ${rowText(images)} as image from ${stage} where n < 0) s on s.image = r.image) x
             where t.ctid = x.place and x.number <= -x.n`,
          ),
        );
  if (deleted !== gone)
    throw new BucardoError(
      "not-equal",
      `${displayName(table.name)} differs between the two sides: ${gone} rows went, ${deleted} of them were there`,
      {
        table: displayName(table.name),
      },
    );
  if (come > 0)
    await target.execute(
      sql(
        "migrate.keyless-insert",
        `insert into ${quoteName(table.name)} (${namesOf(table)}) overriding system value select ${images.map((image) => `s.${image}`).join(", ")} from ${stage} s, generate_series(1, s.n) where s.n > 0`,
      ),
    );
  return gone + come;
}

/** At the very state that the target is brought to. Errors: not-equal. */
async function compareWhole({ source, target }: KeylessJob, table: ImageTable): Promise<TablePrint> {
  const [here, there] = [
    await readTables(source, [table.name], { bounds: false }),
    await readTables(target, [table.name], { bounds: false }),
  ];
  const [one, other] = [here.get(displayName(table.name))!, there.get(displayName(table.name))!];
  const form = formOf(source, target);
  const textOf = (own: typeof one) =>
    hashOf(
      joinedText(
        table.columns.map((name) =>
          valueText(
            own.columns.find((column) => column.name === name)!,
            one.columns.find((column) => column.name === name)!,
            form,
          ),
        ),
      ),
      form,
    );
  const look = (session: Session, own: typeof one) =>
    session.one<{ rows: number; sum: string }>(
      sql(
        "migrate.keyless-compare",
        `select count(*) as rows, coalesce(sum(${textOf(own)}), 0)::text as sum from only ${quoteName(own)} t`,
      ),
    );
  const [before, after] = await Promise.all([look(source, one), look(target, other)]);
  if (before.rows !== after.rows || before.sum !== after.sum)
    throw new BucardoError(
      "not-equal",
      `${displayName(table.name)} differs between the two sides: ${before.rows} rows and ${after.rows}, or other ones`,
      {
        table: displayName(table.name),
      },
    );
  return { rows: before.rows, hash: hashOfSums([before.sum]), onTheWay: 0 };
}
