import { existsSync, writeFileSync } from "node:fs";
import { sleep } from "./sleep.ts";

/**
 * Named places where a test can stop the process: every step of a run, before and after what it makes durable.
 * `BUCARDO_POINT="replicate.target-committed=kill"`; several are separated by `;`. Actions:
 *   kill          SIGKILL of this process
 *   stop          SIGSTOP of this process
 *   fail          throws
 *   pause:FILE    creates FILE and waits until somebody removes it
 * A trailing `:3` acts on the third pass only (for pause: `pause:FILE:3`).
 */
export const points = [
  "replicate.begun",
  "replicate.locked",
  "replicate.checkpoint-read",
  "replicate.snapshot-taken",
  "replicate.table-staged",
  "replicate.rows-read",
  "replicate.table-applied",
  "replicate.intent-committed",
  "replicate.target-committed",
  "replicate.settled",
  "files.prepared",
  "files.recorded",
  "capture.schema-installed",
  "capture.registered",
  "capture.table-captured",
  "capture.rotated",
  "capture.purged",
  "copy.planned",
  "copy.piece-claimed",
  "copy.piece-cut",
  "copy.piece-staged",
  "copy.piece-sent",
  "copy.piece-recorded",
  "copy.piece-committed",
  "copy.piece-done",
  "copy.whole-begun",
  "copy.whole-committed",
  "verify.looked",
  "verify.remembered",
  "verify.piece-claimed",
  "verify.piece-hashed",
  "verify.piece-shown",
  "migrate.keyless-noted",
  "migrate.keyless-committed",
  "migrate.armed",
  "migrate.paused",
  "migrate.closed",
  "migrate.last-run",
  "migrate.repointed",
  "migrate.decided",
  "migrate.opened",
  "migrate.proof-forgotten",
  "migrate.phase-begun",
  "migrate.phase-done",
  "daemon.kick-taken",
  "daemon.run-recorded",
] as const;

export type Point = (typeof points)[number];

export type PointOrder = {
  readonly point: Point;
  readonly action: "kill" | "stop" | "fail" | "pause";
  readonly file: string | null;
  readonly pass: number | null;
};

/** Reads BUCARDO_POINT. Throws on an unknown point or action: a crash test that never crashes must not pass. */
export function parsePointOrders(text: string): PointOrder[] {
  return text
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => {
      const match = /^([a-z.-]+)=(kill|stop|fail|pause)(?::(\/.*?))?(?::(\d+))?$/.exec(part);
      const point = points.find((known) => known === match?.[1]);
      const [, , action, file = null, pass] = match ?? [];
      if (!point || !action || (action === "pause") !== (file !== null)) throw new Error(`BUCARDO_POINT: not understood: ${part}`);
      return { point, action: action as PointOrder["action"], file, pass: pass === undefined ? null : Number(pass) };
    });
}

/** A function that counts passes and obeys the orders. */
export function follow(orders: readonly PointOrder[]): (point: Point) => Promise<void> {
  const passes = new Map<Point, number>();
  return async (point) => {
    if (orders.length === 0) return;
    const pass = (passes.get(point) ?? 0) + 1;
    passes.set(point, pass);
    for (const order of orders) {
      if (order.point === point && (order.pass === null || order.pass === pass)) await obey(order);
    }
  };
}

const obeyEnvironment = follow(parsePointOrders(process.env["BUCARDO_POINT"] ?? ""));
let handler: ((point: Point) => Promise<void> | void) | null = null;

/**
 * For tests that run the engine in their own process: the handler is awaited at every named place, and what it throws is thrown there.
 * One at a time; the result takes it away again. Nothing in the program itself calls this.
 */
export function onPoint(work: (point: Point) => Promise<void> | void): Disposable {
  handler = work;
  return {
    [Symbol.dispose]() {
      if (handler === work) handler = null;
    },
  };
}

/** A named place. Returns at once unless BUCARDO_POINT or a test says otherwise. */
export async function reach(point: Point): Promise<void> {
  await handler?.(point);
  await obeyEnvironment(point);
}

async function obey({ point, action, file }: PointOrder): Promise<void> {
  if (action === "kill") process.kill(process.pid, "SIGKILL");
  if (action === "stop") process.kill(process.pid, "SIGSTOP");
  if (action === "fail") throw new Error(`failed at ${point}, as told by BUCARDO_POINT`);
  if (action === "pause" && file !== null) {
    writeFileSync(file, point);
    while (existsSync(file)) await sleep(10);
  }
}
