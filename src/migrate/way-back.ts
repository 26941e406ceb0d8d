import { withTimeout } from "../base/abort.ts";
import { armFence, closeForGood, disarmFence, readFence } from "../capture/fence.ts";
import { checkWayBack } from "../catalog/check-way-back.ts";
import { readDatabaseFacts } from "../catalog/database.ts";
import { readSequences } from "../catalog/sequence.ts";
import { readTables } from "../catalog/table.ts";
import { installCapture } from "../capture/install.ts";
import { installImages, readImageTables } from "../capture/image-table.ts";
import { releaseSync } from "../capture/release.ts";
import { carriedSyncs } from "../capture/of-installation.ts";
import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { RunDefinition } from "../replicate/definition.ts";
import type { CutoverContext } from "./cutover-context.ts";
import type { Undo } from "./undo.ts";

/** The same sync the other way round: what the side that was left does from now on. */
export function turnAround(definition: RunDefinition): RunDefinition {
  return { ...definition, source: definition.target, target: definition.source, onetimecopy: 0 };
}

/**
 * Prepares the side that is moved to: capture for the way back, so that its first write is captured already, and a fence that keeps everybody but our runs off
 * it until the switch. Long before the window, as nobody writes there: only the order of the first write and the switch matters.
 * Errors: lock-timeout, not-supported (rows could not be applied on the way back).
 */
export async function prepareWayBack(context: CutoverContext, from: Session, to: Session, undo: Undo): Promise<void> {
  await refuseWithoutRights(context, from);
  const back = turnAround(context.definition);
  const known = (await carriedSyncs(to)).some(({ sync }) => sync === back.sync.id);
  const before = (await readFence(to))?.state ?? "open";
  // The last thing to be undone: it takes a moment for each table.
  if (!known) undo.add(`take capture away from ${to.name}`, () => releaseWhenAwake(to, back.sync.id), RELEASE_MS);
  if (before !== "closed")
    undo.add(`open ${to.name}`, async () => {
      if ((await readFence(to)) !== null) await disarmFence(to);
    });
  await installCapture(to, {
    sync: back.sync,
    installation: context.installation,
    targets: [back.target],
    relations: back.relations.map((relation) => ({ ...relation, autokick: false })),
    signal: context.signal,
  });
  // Nobody writes there but our runs, which leave no image: the two are equal when this side is opened.
  const images = (await readImageTables(from, context.definition.sync.id)).map(({ name }) => name);
  await installImages(to, back.sync.id, images, { lockTimeoutMs: LOCK_MS, equal: true });
  if (before !== "closed") {
    await armFence(to, { sync: back.sync.id, uncaptured: context.uncaptured, hint: `Applications still write to ${context.from.place}.` });
    await closeForGood(to);
  }
}

/** Asked, not tried: a session in the replica role would not even clear our own tables, whose foreign keys sleep then. Errors: not-supported. */
async function refuseWithoutRights({ definition, uncaptured }: CutoverContext, from: Session): Promise<void> {
  const named = (kind: "table" | "sequence") => definition.relations.filter((relation) => relation.kind === kind).map(({ name }) => name);
  const tables = await readTables(from, [...named("table"), ...uncaptured], { bounds: false });
  const sequences = await readSequences(from, named("sequence"));
  const problems = checkWayBack(await readDatabaseFacts(from), [...tables.values()], [...sequences.values()]);
  const [first] = problems;
  if (first === undefined) return;
  throw new BucardoError("not-supported", `${problems.map(({ what }) => what).join("; ")} on ${from.name}, so it could not follow`, {
    db: from.name,
    advice: `On ${from.name}: ${problems.map(({ remedy }) => remedy).join(" ")}`,
  });
}

const LOCK_MS = 2000;
/** For thousands of tables. */
const RELEASE_MS = 600_000;
const AWAKE_MS = 5000;

/** Not when the server does not answer at all: then nobody should wait for it. */
async function releaseWhenAwake(to: Session, sync: string): Promise<void> {
  const late = () => new BucardoError("timeout", `no answer within ${AWAKE_MS / 1000} s`, { db: to.name });
  await withTimeout(AWAKE_MS, undefined, late, () => to.query(sql("migrate.awake", "select")));
  await releaseSync(to, sync);
}
