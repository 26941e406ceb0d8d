import { z } from "zod";
import { lookAt, openLook, type Look } from "../../migrate/look.ts";
import { nextVerb } from "../../migrate/next.ts";
import { isPhase } from "../../migrate/phase.ts";
import type { MigrationProgress } from "../../migrate/progress.ts";
import { defineOperation } from "../operation.ts";
import type { Io } from "../io.ts";
import { readComparedTables } from "../../migrate/compared-table.ts";
import { comparedLines, comparedOf, comparedOutput } from "./compared.ts";
import { paintOf } from "./display.ts";
import { endpointKeys, readPair, type Pair } from "./endpoints.ts";
import { counted, duration } from "./measure.ts";
import { viewOf } from "./watcher.ts";
import { draw } from "./view.ts";

const step = z.object({
  phase: z.string(),
  began: z.date(),
  ended: z.date().nullable(),
  outcome: z.string().nullable(),
  detail: z.unknown(),
});

/** A look as it goes out as JSON. */
export const statusOutput = z.object({
  from: z.string(),
  to: z.string(),
  id: z.string(),
  phase: z.string(),
  openSide: z.enum(["old", "new"]),
  /** A turn was decided and broke off. */
  decided: z.boolean(),
  /** What works on it; null: nobody. */
  worker: z.string().nullable(),
  /** The verb of the command that comes next; null: somebody is at work. */
  next: z.string().nullable(),
  startedAt: z.date(),
  /** That anybody worked on it; in milliseconds, and by phase. */
  elapsedMs: z.number(),
  tookMs: z.record(z.string(), z.number()),
  lag: z.object({ deltas: z.number(), ageSeconds: z.number() }).nullable(),
  progress: z.unknown(),
  steps: z.array(step),
});

export type Status = z.output<typeof statusOutput>;

export function statusOf(pair: Pair, look: Look): Status {
  const { migration, steps, worker, lag, decided } = look;
  const view = viewOf(pair, migration, steps, worker !== null, new Date());
  return {
    from: view.from,
    to: view.to,
    id: migration.id,
    phase: migration.phase,
    openSide: migration.openSide,
    decided,
    worker: worker?.what ?? null,
    next: worker === null ? nextVerb(migration, decided) : null,
    startedAt: migration.startedAt,
    elapsedMs: view.elapsedMs,
    tookMs: { ...view.took },
    lag,
    progress: migration.progress,
    steps: [...steps],
  };
}

/** The picture for people. */
export function statusLines(status: Status, io: Io, program: string): string[] {
  const { from, to, phase, worker, elapsedMs, tookMs, progress } = status;
  const view = {
    from,
    to,
    phase: isPhase(phase) ? phase : ("schema" as const),
    idle: worker === null && phase !== "ready",
    elapsedMs,
    took: tookMs,
    progress: progress as MigrationProgress | null,
  };
  return [...draw(view, io.width - 1, paintOf(io)), ...stateLines(status, program)];
}

function stateLines(status: Status, program: string): string[] {
  const { phase, openSide, worker, lag, decided } = status;
  if (decided && worker === null)
    return [
      `A ${openSide === "old" ? "cutover" : "switchback"} was decided and broke off: applications may write to the ${openSide === "old" ? "new" : "old"} side already.`,
      `Next: \`${program} migrate ${status.next}\` does the rest.`,
    ];
  const side = openSide === "new" ? ["Switched over: the new side is in use."] : [];
  if (worker !== null) return [...side, ...lagLines(lag), `At work: ${worker}.`];
  if (openSide === "new")
    return [...side, ...lagLines(lag), `Next: \`${program} migrate switchback\` to go back, or \`${program} migrate finish\`.`];
  const next = phase === "ready" ? `Next: \`${program} migrate cutover\`.` : `Nobody works on it: \`${program} migrate start\` goes on.`;
  return [...lagLines(lag), ...troubleLines(status), next];
}

function lagLines(lag: Status["lag"]): string[] {
  if (lag === null) return [];
  if (lag.deltas === 0) return ["Lag: none."];
  return [`Lag: ${counted(lag.deltas, "delta")}, the oldest at most ${duration(lag.ageSeconds * 1000)} old.`];
}

function troubleLines({ steps }: Status): string[] {
  const last = steps.findLast((one) => one.ended !== null);
  const error = last?.outcome === "failed" ? (last.detail as { error?: string } | null)?.error : undefined;
  return error === undefined ? [] : [`The last attempt failed: ${error}`];
}

export const migrateStatus = defineOperation({
  name: ["migrate", "status"],
  summary: "Tell how a move stands",
  description:
    "Phases with their times, what is being done, lag, and what comes next. With -v also each table with its rows and their hash, as they were " +
    "compared; --json has them always. Changes nothing, and works beside the command that works on the move.",
  group: "migration",
  effect: "reads",
  control: "none",
  input: z.object({ ...endpointKeys }),
  output: statusOutput.extend({ tables: z.array(comparedOutput) }),
  examples: [
    { command: "bucardo migrate status --json", about: "For a script." },
    { command: "bucardo migrate status -v", about: "What was compared, table by table." },
  ],
  async run(input, context) {
    const pair = readPair(input, context);
    await using old = await openLook(pair.old, context.signal);
    const look = await lookAt(old);
    return { ...statusOf(pair, look), tables: comparedOf(await readComparedTables(old, look.migration)) };
  },
  print: (status, io, { program }) => {
    for (const line of statusLines(status, io, program)) io.out(line);
    if (io.verbose > 0) for (const line of comparedLines(status.tables, Number.POSITIVE_INFINITY)) io.out(line);
  },
});
