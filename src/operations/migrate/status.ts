import { z } from "zod";
import { lookAt, openLook, type Look } from "../../migrate/look.ts";
import type { Context } from "../context.ts";
import { defineOperation } from "../operation.ts";
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
  working: z.boolean(),
  startedAt: z.date(),
  lag: z.object({ deltas: z.number(), ageSeconds: z.number() }).nullable(),
  progress: z.unknown(),
  steps: z.array(step),
  lines: z.array(z.string()),
});

export function statusOf(pair: Pair, look: Look, context: Pick<Context, "io" | "program">): z.output<typeof statusOutput> {
  const { migration, steps, worker, lag } = look;
  const view = viewOf(pair, migration, steps, worker !== null, new Date());
  return {
    from: pair.old.place,
    to: pair.new.place,
    id: migration.id,
    phase: migration.phase,
    openSide: migration.openSide,
    working: worker !== null,
    startedAt: migration.startedAt,
    lag,
    progress: migration.progress,
    steps: [...steps],
    lines: [...draw(view, context.io.width - 1, paintOf(context.io)), ...stateLines(look, context.program)],
  };
}

function stateLines({ migration, worker, lag, steps, decided }: Look, program: string): string[] {
  const waiting =
    lag === null
      ? []
      : [
          lag.deltas === 0
            ? "Lag: none."
            : `Lag: ${counted(lag.deltas, "delta")}, the oldest at most ${duration(lag.ageSeconds * 1000)} old.`,
        ];
  if (migration.openSide === "new")
    return [
      "Switched over: the new side is in use.",
      `Next: \`${program} migrate switchback\` to go back, or \`${program} migrate finish\`.`,
    ];
  if (decided && worker === null)
    return [
      "A cutover was decided and broke off: applications may write to the new side already.",
      `Next: \`${program} migrate cutover\` does the rest.`,
    ];
  const failed = steps.findLast((one) => one.ended !== null);
  const error = failed?.outcome === "failed" ? (failed.detail as { error?: string } | null)?.error : undefined;
  const trouble = error === undefined || worker !== null ? [] : [`The last attempt failed: ${error}`];
  const next =
    worker !== null
      ? [`At work: ${worker.what}.`]
      : migration.phase === "ready"
        ? [`Next: \`${program} migrate cutover\`.`]
        : [`Nobody works on it: \`${program} migrate start\` goes on.`];
  return [...waiting, ...trouble, ...next];
}

export const migrateStatus = defineOperation({
  name: ["migrate", "status"],
  summary: "Tell how a move stands",
  description:
    "Phases with their times, what is being done, lag, and what comes next. Changes nothing, and works beside the command that works on the move.",
  group: "migration",
  effect: "reads",
  control: "none",
  input: z.object({ ...endpointKeys }),
  output: statusOutput,
  examples: [{ command: "bucardo migrate status --json", about: "For a script." }],
  async run(input, context) {
    const pair = readPair(input, context);
    await using old = await openLook(pair.old, context.signal);
    return statusOf(pair, await lookAt(old), context);
  },
  print: ({ lines }, io) => lines.forEach((line) => io.out(line)),
});
