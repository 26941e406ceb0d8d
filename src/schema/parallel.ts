import { displayName } from "../model/name.ts";
import { groupBy } from "../base/group-by.ts";
import { anySignal } from "../base/abort.ts";
import type { Session } from "../postgres/session.ts";
import type { SchemaObject, Stage } from "./object.ts";

export type Pool = {
  readonly jobs: number;
  readonly signal: AbortSignal;
  readonly open: () => Promise<Session>;
  readonly work: (session: Session, object: SchemaObject) => Promise<void>;
};

/** `each`: CREATE INDEX shares its lock with others of its kind. `table`: the statements of one table exclude each other. All else in the dump's order. */
const manner: Partial<Record<Stage, "each" | "table">> = {
  index: "each",
  key: "table",
  unique: "table",
  check: "table",
  validate: "table",
  statistics: "table",
};

/**
 * Does the work of a stage with as many sessions as are of use. Objects that attach the indexes of partitions touch two tables: they come last, alone.
 * Throws the first error of a worker, after all have ended.
 */
export async function workInParallel(objects: readonly SchemaObject[], stage: Stage, pool: Pool): Promise<void> {
  const how = manner[stage];
  const last = objects.filter((object) => object.kind === "INDEX ATTACH");
  const first = objects.filter((object) => object.kind !== "INDEX ATTACH");
  await workOff(how === undefined ? [first] : queuesOf(first, how), pool);
  await workOff([last], pool);
}

/** What must be done one after another, the queues with most to do first. */
function queuesOf(objects: readonly SchemaObject[], how: "each" | "table"): SchemaObject[][] {
  const queues =
    how === "each"
      ? objects.map((object) => [object])
      : [...groupBy(objects, (object) => (object.of === null ? object.id : displayName(object.of))).values()];
  const pages = (queue: readonly SchemaObject[]) => queue.reduce((sum, object) => sum + object.pages, 0);
  return queues.toSorted((one, other) => pages(other) - pages(one));
}

async function workOff(queues: readonly SchemaObject[][], { jobs, signal, open, work }: Pool): Promise<void> {
  const waiting = queues.filter((queue) => queue.length > 0);
  const stop = new AbortController();
  using either = anySignal(signal, stop.signal);
  const worker = async (): Promise<void> => {
    if (waiting.length === 0) return;
    await using session = await open();
    for (let queue = waiting.shift(); queue !== undefined; queue = waiting.shift()) {
      for (const object of queue) {
        if (either.aborted) return;
        await work(session, object);
      }
    }
  };
  const outcomes = await Promise.allSettled(
    Array.from({ length: Math.max(1, Math.min(jobs, waiting.length)) }, () =>
      worker().catch((error: unknown) => {
        stop.abort(error);
        throw error;
      }),
    ),
  );
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  signal.throwIfAborted();
}
