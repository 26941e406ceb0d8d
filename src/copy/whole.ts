import { reach } from "../base/point.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import type { RunProgress, RunResult, TableCounts } from "../model/run.ts";
import { parseSnapshot } from "../model/snapshot.ts";
import type { CopyPolicy, DeleteMethod } from "../model/sync.ts";
import { interruptible } from "../postgres/cancel.ts";
import { copyBetween } from "../postgres/copy.ts";
import { sqlstateOf, toBucardoError } from "../postgres/failure.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { rollbackQuietly } from "../postgres/transaction.ts";
import type { RunDefinition } from "../replicate/definition.ts";
import { readIdentity } from "../replicate/identity.ts";
import { beginLocked } from "../replicate/lock.ts";
import { memberOf } from "../replicate/member.ts";
import { carrySequences } from "../replicate/sequence.ts";
import { afterCopy } from "./after-copy.ts";
import { holdRelation } from "./hold.ts";
import { linkCopies, type LinkedTable } from "./link.ts";
import { readText, writeText } from "./text.ts";

export type WholeContext = {
  readonly definition: RunDefinition;
  readonly policy: CopyPolicy;
  readonly source: Session;
  readonly target: Session;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: RunProgress) => void;
  /** What follows the copy and could not be done. */
  readonly told: (error: unknown) => void;
};

/** How long TRUNCATE waits for those who read the table, before the rows are deleted instead. */
const TRUNCATE_PATIENCE = "5s";

/**
 * A run towards a database of role fullcopy: all tables and sequences of the sync as they are in one snapshot of the source, in one transaction of the target.
 * Nothing is captured for it, so tables need no key and nobody remembers how far it came. Whoever reads the target sees the rows of before until it
 * commits, except with TRUNCATE: then readers wait, and one with an older snapshot sees the table empty (hazard 25).
 */
export async function copyWhole(context: WholeContext): Promise<RunResult> {
  const { source, target, definition } = context;
  const member = await memberOf(target);
  try {
    await readIdentity(target);
    await interruptible(context.signal, target, () => beginLocked(target, definition.sync));
    const [{ snapshot }] = (await source
      .batch([
        sql("copy.begin-whole", "begin isolation level repeatable read"),
        sql("copy.snapshot", "select txid_current_snapshot()::text as snapshot"),
      ])
      .then(([, answer]) => answer!.rows)) as [{ snapshot: string }];
    await reach("copy.whole-begun");
    const relations = definition.relations.filter(({ kind }) => kind === "table");
    const links = await linkCopies(
      source,
      member,
      relations.map(({ name, terms }) => ({ name, key: null, terms })),
    );
    const tables: TableCounts[] = [];
    let bytes = 0;
    for (const linked of links.values()) {
      const counts = await copyTable(context, linked, { rows: tables.reduce((sum, table) => sum + table.upserted, 0), bytes });
      bytes += counts.bytes ?? 0;
      tables.push(counts);
    }
    const moved = await carrySequences(source, target, definition);
    context.signal.throwIfAborted();
    await source.execute(sql("copy.end-source", "commit"));
    await target.execute(sql("copy.commit-whole", "commit"));
    await reach("copy.whole-committed");
    await maintain(context, [...links.values()]);
    return { outcome: "good", snapshot: parseSnapshot(snapshot), tables, sequences: moved, bytes, setAside: 0 };
  } catch (error) {
    await rollbackQuietly(source);
    await rollbackQuietly(target);
    throw error;
  }
}

async function copyTable(
  context: WholeContext,
  linked: LinkedTable,
  before: { readonly rows: number; readonly bytes: number },
): Promise<TableCounts> {
  const { source, target, signal, onProgress, policy } = context;
  const { link, source: shape } = linked;
  const table = displayName(link.name);
  const began = performance.now();
  const progress = (step: RunProgress["step"], rows: number, moved: number): void =>
    onProgress({ step, table, rowsDone: before.rows + rows, rowsExpected: null, bytesDone: before.bytes + moved });
  try {
    const part = await holdRelation(source, shape.oid, link.name);
    if (part === null) throw new BucardoError("run-void", `${table} vanished during the run`, { db: source.name, table });
    progress("applying", 0, 0);
    const deleted = await interruptible(signal, target, () => empty(target, linked, policy.deleteMethod));
    progress("fetching", 0, 0);
    const { sent, bytes } = await copyBetween({
      from: source,
      fromText: sql("copy.read", readText(link, part, { lower: null, upper: null })),
      to: target,
      toText: sql("copy.write", writeText(link, false)),
      signal,
      onBytes: (moved, rows) => progress("fetching", rows, moved),
      table,
    });
    return { table, upserted: sent, deleted, refilled: true, bytes, ms: Math.round(performance.now() - began) };
  } catch (error) {
    throw toBucardoError(error, { table });
  }
}

/** TRUNCATE is refused where others refer to the table, or to who may not; then, and where readers do not let go of it, rows are deleted. Rows deleted. */
async function empty(target: Session, { target: shape }: LinkedTable, method: DeleteMethod): Promise<number> {
  const name = `${shape.kind === "partitioned" ? "" : "only "}${quoteName(shape)}`;
  const all = sql("copy.delete-all", `delete from ${name}`);
  if (method === "delete") return await target.execute(all);
  const cascade = method === "truncate_cascade" ? " cascade" : "";
  try {
    await target.script(
      sql(
        "copy.truncate-all",
        `savepoint bucardo_empty; set local lock_timeout = '${TRUNCATE_PATIENCE}'; truncate ${name}${cascade}; set local lock_timeout = 0; release savepoint bucardo_empty`,
      ),
    );
    return 0;
  } catch (error) {
    if (sqlstateOf(error) === null || target.lost.aborted || sqlstateOf(error) === "57014") throw error;
    await target.script(sql("copy.undo-truncate", "rollback to savepoint bucardo_empty; release savepoint bucardo_empty"));
    return await target.execute(all);
  }
}

async function maintain({ target, definition, policy: common, told }: WholeContext, links: readonly LinkedTable[]): Promise<void> {
  const own = new Map(definition.relations.map(({ name, copying }) => [displayName(name), copying]));
  const filled = links.map(({ link, target: { schema, name, leaves } }) => {
    const policy = { ...common, ...own.get(displayName(link.name)) };
    return { name: { schema, name }, policy, leaves: policy.rebuildIndex ? leaves.map((leaf) => leaf.name) : [] };
  });
  await afterCopy(target, filled, told);
}
