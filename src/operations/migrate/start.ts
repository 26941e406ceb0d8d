import { z } from "zod";
import { start as startMove } from "../../migrate/start.ts";
import { readSteps, type MigrationOptions } from "../../migrate/state.ts";
import { openEndpoint } from "../../migrate/endpoint.ts";
import { bool, integer, key, list, text } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { displayKinds, openDisplay } from "./display.ts";
import { endpointKeys, readPair, rememberPair } from "./endpoints.ts";
import { counted, duration } from "./measure.ts";
import { rate } from "./rate.ts";
import { OwnView } from "./watcher.ts";

export const selectionKeys = {
  only: key(list.default([]), { about: "Only these tables and sequences; * and % are wildcards.", value: "NAME,...", list: true }),
  skip: key(list.default([]), { about: "Not these.", value: "NAME,...", list: true }),
};

export const migrateStart = defineOperation({
  name: ["migrate", "start"],
  summary: "Bring a new database in step with an old one that stays in use",
  description:
    "Structure, capture, copy in pieces, keys, indexes, catch-up and proof, up to the point where `migrate cutover` takes moments. Every step is remembered: " +
    "after a crash, a lost connection or Ctrl-C the same command goes on where it stood. The old database keeps its indexes, its writers and its settings; " +
    "it gets triggers and a schema bucardo, which `migrate finish` and `migrate abort` take away again.",
  group: "migration",
  effect: "writes",
  http: { refused: "it works for hours: run it where it may be interrupted and gone on with" },
  rehearsable: false,
  control: "none",
  input: z.object({
    ...endpointKeys,
    ...selectionKeys,
    jobs: key(integer(1, 64).default(4), { about: "Streams of the copy, and indexes built, at once.", short: "j", value: "N" }),
    max_rate: key(rate.optional(), { about: "Bytes a second of all streams together: 50MB.", value: "SIZE" }),
    roles: key(bool.default(true), { about: "Make roles that the new server lacks, with passwords where they can be read." }),
    pg_dump: key(text.optional(), { about: "Path of the pg_dump to use, or built-in; default: the best there is.", value: "PATH" }),
    skip_object: key(list.default([]), {
      about: "Statements of the structure that may be left out, by kind and name as the error shows them: 'extension old_thing'.",
      value: "OBJECT,...",
      list: true,
    }),
    progress: key(z.enum(displayKinds, `must be one of ${displayKinds.join(", ")}`).default("auto"), {
      about: `How progress is told: ${displayKinds.join(", ")}. auto is live on a terminal, else plain.`,
      value: "KIND",
    }),
  }),
  output: z.object({
    from: z.string(),
    to: z.string(),
    phase: z.string(),
    tables: z.number(),
    sequences: z.number(),
    ms: z.number(),
  }),
  examples: [
    { command: "bucardo migrate start --from postgresql://old/app --to postgresql://new/app", about: "Until both are in step." },
    { command: "bucardo migrate start --max-rate=50MB", about: "Go on with the move begun last, gently." },
  ],
  async run(input, context) {
    const pair = readPair(input, context);
    const options: MigrationOptions = {
      only: input.only,
      skip: input.skip,
      jobs: input.jobs,
      maxRate: input.max_rate ?? null,
      roles: input.roles,
      pgDump: input.pg_dump ?? null,
      skipObjects: input.skip_object,
    };
    const display = openDisplay(context.io, context.flags.json && input.progress === "auto" ? "none" : input.progress);
    const view = new OwnView(pair);
    const began = performance.now();
    await using looker = await openEndpoint(pair.old, "progress", context.signal);
    let atWork = false;
    const ticker = setInterval(() => atWork && display.show(view.now), 1000);
    try {
      const migration = await startMove(
        {
          ...pair,
          signal: context.signal,
          onProgress: (progress) => {
            view.progress(progress);
            display.show(view.now);
          },
          onMessage: (line) => display.say(line),
          onPhase: async (phase, now) => {
            // Only what was accepted: a wrong pair must not be what the next commands take.
            await rememberPair(input, context);
            view.begin(phase, now, await readSteps(looker));
            atWork = true;
            display.show(view.now);
          },
        },
        options,
      );
      return {
        from: pair.old.place,
        to: pair.new.place,
        phase: migration.phase,
        tables: migration.relations?.tables.length ?? 0,
        sequences: migration.relations?.sequences.length ?? 0,
        ms: Math.round(performance.now() - began),
      };
    } finally {
      clearInterval(ticker);
      display.end();
    }
  },
  print({ from, to, tables, sequences, ms }, io, context) {
    io.out(`Ready: ${to} is in step with ${from} (${counted(tables, "table")}, ${counted(sequences, "sequence")}, ${duration(ms)}).`);
    io.out(`Next: \`${context.program} migrate cutover --rehearse\`, then \`${context.program} migrate cutover\`.`);
    io.out(`Until then \`${context.program} migrate follow\` keeps the lag small; cutover catches up by itself, too.`);
  },
});
