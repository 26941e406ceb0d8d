import { backoff } from "../base/backoff.ts";
import { reach } from "../base/point.ts";
import { sleep } from "../base/sleep.ts";
import { BucardoError } from "../model/error.ts";
import { retries } from "../model/retry.ts";
import { displayName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { readComplete } from "./complete.ts";
import { captureTable, type TableRequest } from "./capture-table.ts";
import { describeBlockers, findBlockers } from "./blocker.ts";
import { joinSync, registerSync } from "./register.ts";
import type { CaptureRequest } from "./request.ts";
import { ensureCaptureSchema } from "./schema.ts";
import { stampDeltas } from "./stamp.ts";

/**
 * Begins to capture: schema, registration, triggers table by table, and only then the snapshot from which changes count.
 *
 * The order is the proof. Registered first, so that nothing is purged from now on (hazard 15). Each table in a transaction of its own
 * with a lock timeout, so that writers never queue behind us and two tables never deadlock (hazard 27). CREATE TRIGGER waits out every writer
 * of the table, so when the snapshot is taken after the last commit, a change is either captured or visible in it.
 * Everything may be repeated: after a crash the same call finishes what is missing.
 */
export async function installCapture(source: Session, request: CaptureRequest): Promise<void> {
  await ensureCaptureSchema(source);
  await reach("capture.schema-installed");
  await registerSync(source, request);
  await reach("capture.registered");
  const complete = await readComplete(source, request);
  const promised = new Set(request.promised?.tables.map(displayName));
  for (const relation of request.relations) {
    if (relation.kind !== "table" || relation.key === null || complete.has(displayName(relation.name))) continue;
    const owedCopy = promised.has(displayName(relation.name)) ? (request.promised?.targets ?? []) : [];
    await captureWithPatience(source, request, {
      table: relation.name,
      key: relation.key,
      notify: relation.autokick,
      sync: request.sync.id,
      targets: request.targets,
      owedCopy,
      lockTimeoutMs: request.lockTimeoutMs ?? 2000,
    });
    await reach("capture.table-captured");
  }
  if (request.stamped) await stampDeltas(source);
  if (request.join !== false) await joinSync(source, request);
}

async function captureWithPatience(source: Session, request: CaptureRequest, wanted: TableRequest): Promise<void> {
  const attempts = request.attempts ?? 10;
  const { table } = wanted;
  for (let attempt = 1; ; attempt++) {
    try {
      await captureTable(source, wanted);
      return;
    } catch (error) {
      if (!(error instanceof BucardoError) || (error.code !== "lock-timeout" && error.code !== "serialization")) throw error;
      // One of our own names who is there; the server's does not.
      const named = error.code === "lock-timeout" && error.details.sqlstate === undefined;
      const message = named ? error.message : describeBlockers(table, await findBlockers(source, table, "create trigger"));
      if (attempt >= attempts) {
        throw new BucardoError("lock-timeout", `cannot add triggers: ${message}`, {
          db: source.name,
          table: displayName(table),
          sqlstate: error.details.sqlstate ?? "55P03",
          cause: error,
        });
      }
      request.onBlocked?.(message, attempt);
      await sleep(backoff(attempt, retries.tableLock), request.signal);
    }
  }
}
