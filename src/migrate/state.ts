import { readFile } from "node:fs/promises";
import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { ensureCaptureSchema } from "../capture/schema.ts";
import type { Identity } from "../replicate/definition.ts";
import type { Found } from "./found.ts";
import { isPhase, type Phase } from "./phase.ts";
import type { MigrationProgress } from "./progress.ts";
import type { Selection } from "./selection.ts";

/** Of sql/migrate, in their order. How many of them there are is the version that this program brings and understands. */
const FILES = ["0001-initial.sql", "0002-tables.sql"];
const VERSION = FILES.length;

export type MigrationOptions = {
  /** Patterns of tables and sequences; empty: everything. */
  readonly only: readonly string[];
  readonly skip: readonly string[];
  readonly jobs: number;
  /** Bytes per second of all streams together; null: as fast as it goes. */
  readonly maxRate: number | null;
  readonly roles: boolean;
  /** Path of a pg_dump, or `built-in`; null: the best there is. */
  readonly pgDump: string | null;
  /** Objects whose statement may fail: `kind name` patterns. */
  readonly skipObjects: readonly string[];
};

/** The state of a move, as the old side holds it. */
export type Migration = {
  readonly id: string;
  readonly targetPlace: string;
  readonly targetIdentity: Identity;
  /** What the new side had before the move; `database`: it was there at all. */
  readonly found: Found & { readonly database: boolean };
  readonly options: MigrationOptions;
  readonly relations: Selection | null;
  readonly phase: Phase;
  readonly openSide: "old" | "new";
  readonly progress: MigrationProgress | null;
  readonly startedAt: Date;
  readonly changedAt: Date;
};

/** Null: no move has begun on this database. Errors: schema-newer. */
export async function readMigration(old: Session): Promise<Migration | null> {
  const { present } = await old.one<{ present: boolean }>(
    sql("migrate.present", "select pg_catalog.to_regclass('bucardo.migration') is not null as present"),
  );
  if (!present) return null;
  const [row] = await old.query<Migration & { version: number; phase: string }>(
    sql(
      "migrate.read",
      `select id, version, target_place as "targetPlace", target_identity as "targetIdentity", found, options, relations, phase, open_side as "openSide",
              progress, started_at as "startedAt", changed_at as "changedAt" from bucardo.migration`,
    ),
  );
  if (row === undefined) return null;
  if (row.version > VERSION || !isPhase(row.phase))
    throw new BucardoError("schema-newer", `the move of database ${old.name} was begun by a newer Bucardo`, { db: old.name });
  return row;
}

/** Errors: migration-missing. */
export async function requireMigration(old: Session): Promise<Migration> {
  const migration = await readMigration(old);
  if (migration !== null) return migration;
  throw new BucardoError("migration-missing", "No move of this database has begun, or it was finished.", { db: old.name });
}

export async function createMigration(
  old: Session,
  begin: Pick<Migration, "id" | "targetPlace" | "targetIdentity" | "found" | "options">,
): Promise<Migration> {
  await ensureCaptureSchema(old);
  const texts = await readFiles(0);
  await transaction(old, {}, async () => {
    for (const text of texts) await old.script(sql("migrate.schema", text));
    await old.execute(
      sql(
        "migrate.create",
        "insert into bucardo.migration (id, version, target_place, target_identity, found, options, phase) values ($1, $2, $3, $4, $5, $6, 'schema')",
        [
          begin.id,
          VERSION,
          begin.targetPlace,
          JSON.stringify(begin.targetIdentity),
          JSON.stringify(begin.found),
          JSON.stringify(begin.options),
        ],
      ),
    );
  });
  return requireMigration(old);
}

/** A move that an older version began gets what it does not have yet. */
export async function upgradeMigration(old: Session): Promise<void> {
  const { version } = await old.one<{ version: number }>(sql("migrate.version", "select version from bucardo.migration"));
  if (version >= VERSION) return;
  const texts = await readFiles(version);
  await transaction(old, {}, async () => {
    for (const text of texts) await old.script(sql("migrate.schema", text));
    await old.execute(sql("migrate.upgraded", "update bucardo.migration set version = $1", [VERSION]));
  });
}

function readFiles(from: number): Promise<string[]> {
  return Promise.all(FILES.slice(from).map((file) => readFile(new URL(`../../sql/migrate/${file}`, import.meta.url), "utf8")));
}

/** Changes what is given; the rest stays. */
export async function updateMigration(
  old: Session,
  change: { phase?: Phase; relations?: Selection; options?: MigrationOptions; openSide?: "old" | "new" },
): Promise<void> {
  await old.execute(
    sql(
      "migrate.update",
      `update bucardo.migration set phase = coalesce($1, phase), relations = coalesce($2::jsonb, relations), options = coalesce($3::jsonb, options),
              open_side = coalesce($4, open_side), changed_at = clock_timestamp()`,
      [
        change.phase ?? null,
        change.relations === undefined ? null : JSON.stringify(change.relations),
        change.options === undefined ? null : JSON.stringify(change.options),
        change.openSide ?? null,
      ],
    ),
  );
}

/**
 * Other tables take part from now on: the move goes back to its first phase, and the structure is looked at once more. Roles stay remembered, as what was made
 * of them is to be told from what was there; so does what was left out by choice.
 */
export async function beginAgain(old: Session, relations: Selection): Promise<void> {
  await transaction(old, {}, async () => {
    await updateMigration(old, { phase: "schema", relations });
    await old.execute(
      sql(
        "migrate.forget-objects",
        "delete from bucardo.migration_object where outcome = 'done' and object !~ '^(ROLE|MEMBERSHIP|SETTING) '",
      ),
    );
  });
}

export async function writeProgress(old: Session, progress: MigrationProgress): Promise<void> {
  await old.execute(
    sql("migrate.progress", "update bucardo.migration set progress = $1::jsonb, changed_at = clock_timestamp()", [
      JSON.stringify(progress),
    ]),
  );
}

export type Sample = {
  readonly at: Date;
  readonly phase: string;
  readonly done: number;
  readonly rate: number | null;
  readonly deltas: number | null;
};

/** More than this are thinned out to the half: a move of weeks has no more than one of an hour. */
const SAMPLES = 2000;

export async function writeSample(old: Session, { phase, done, rate, lag }: MigrationProgress): Promise<void> {
  await old.execute(
    sql("migrate.sample", "insert into bucardo.migration_sample (phase, done, rate, deltas) values ($1, $2, $3, $4)", [
      phase,
      done,
      rate,
      lag?.deltas ?? null,
    ]),
  );
  await old.execute(
    sql(
      "migrate.thin-samples",
      `delete from bucardo.migration_sample s using (select ctid, row_number() over (order by at) as n, count(*) over () as all_of_them from bucardo.migration_sample) r
        where s.ctid = r.ctid and r.all_of_them > ${SAMPLES} and r.n % 2 = 0`,
    ),
  );
}

export function readSamples(old: Session): Promise<Sample[]> {
  return old.query<Sample>(sql("migrate.samples", "select at, phase, done, rate, deltas from bucardo.migration_sample order by at"));
}

/** One step that took time: open until `endStep`. */
export async function beginStep(old: Session, phase: string): Promise<number> {
  const { id } = await old.one<{ id: number }>(
    sql("migrate.step-begin", "insert into bucardo.migration_step (phase) values ($1) returning id", [phase]),
  );
  return id;
}

export async function endStep(old: Session, id: number, outcome: "done" | "failed", detail: unknown): Promise<void> {
  await old.execute(
    sql("migrate.step-end", "update bucardo.migration_step set ended = clock_timestamp(), outcome = $2, detail = $3::jsonb where id = $1", [
      id,
      outcome,
      JSON.stringify(detail ?? null),
    ]),
  );
}

/** The lock is ours: whatever step is still open was broken off when the state was written last. */
export async function endBrokenSteps(old: Session): Promise<void> {
  await old.execute(
    sql(
      "migrate.step-broken",
      `update bucardo.migration_step s set ended = greatest(s.began, m.changed_at), outcome = 'failed', detail = '{"note": "broken off"}'
         from bucardo.migration m where s.ended is null`,
    ),
  );
}

export type Step = {
  readonly phase: string;
  readonly began: Date;
  readonly ended: Date | null;
  readonly outcome: "done" | "failed" | null;
  readonly detail: unknown;
};

export function readSteps(old: Session): Promise<Step[]> {
  return old.query<Step>(sql("migrate.steps", "select phase, began, ended, outcome, detail from bucardo.migration_step order by id"));
}

/** `begun`: whether it was done is not known. `note`: it was there already, or nothing. */
export type Made = { readonly object: string; readonly outcome: "begun" | "done" | "skipped"; readonly note: string | null };

/** Schema objects that were made, or of which it was decided otherwise. */
export async function readObjects(old: Session): Promise<Made[]> {
  return old.query(sql("migrate.objects", "select object, outcome, note from bucardo.migration_object order by at"));
}

export async function rememberObject(old: Session, { object, outcome, note }: Made): Promise<void> {
  await old.execute(
    sql(
      "migrate.object",
      `insert into bucardo.migration_object (object, outcome, note) values ($1, $2, $3)
       on conflict (object) do update set outcome = excluded.outcome, note = excluded.note where bucardo.migration_object.outcome = 'begun'`,
      [object, outcome, note],
    ),
  );
}

/** The last thing that goes: without it there is no move. Schema bucardo goes with it when nothing else is in it. */
export async function dropMigration(old: Session): Promise<void> {
  await transaction(old, {}, async () => {
    await old.script(
      sql(
        "migrate.drop",
        "drop table if exists bucardo.migration_table, bucardo.migration_sample, bucardo.migration_object, bucardo.migration_step, bucardo.migration",
      ),
    );
    const { empty } = await old.one<{ empty: boolean }>(
      sql(
        "migrate.schema-is-empty",
        `select not exists (select from pg_class c where c.relnamespace = n.oid) and not exists (select from pg_proc p where p.pronamespace = n.oid) as empty
           from pg_namespace n where n.nspname = 'bucardo' union all select false limit 1`,
      ),
    );
    if (empty) await old.script(sql("migrate.drop-schema", "drop schema bucardo"));
  });
}
