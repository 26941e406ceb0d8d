import { z } from "zod";
import { makePlan } from "../../migrate/plan.ts";
import { displayName } from "../../model/name.ts";
import { key, text } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { endpointKeys, readPair } from "./endpoints.ts";
import { count, counted, duration, size } from "./measure.ts";
import { selectionKeys } from "./start.ts";

const finding = z.object({ grade: z.enum(["stop", "warning", "note"]), what: z.string(), remedy: z.string() });

export const migratePlan = defineOperation({
  name: ["migrate", "plan"],
  summary: "Look at both databases and tell everything that stands in the way of a move",
  description:
    "Reads both sides, changes nothing: what there is, what we may do there, what the new version cannot hold, what needs care, and how long it will take, " +
    "measured with a short sample. All problems at once, in three grades: what stops the move, what to take care of, what is good to know.",
  group: "migration",
  effect: "reads",
  http: "token",
  control: "none",
  input: z.object({
    ...endpointKeys,
    ...selectionKeys,
    pg_dump: key(text.optional(), {
      about: "Path of the pg_dump to use, or built-in; default: the best there is.",
      value: "PATH",
      local: true,
    }),
  }),
  output: z.object({
    from: z.string(),
    to: z.string(),
    oldVersion: z.number(),
    newVersion: z.number().nullable(),
    under: z.object({ to: z.string(), phase: z.string(), next: z.string() }).nullable(),
    tables: z.array(
      z.object({
        table: z.string(),
        bytes: z.number(),
        key: z.array(z.string()).nullable(),
        handling: z.enum(["follow", "image", "window"]),
      }),
    ),
    sequences: z.array(z.string()),
    bytes: z.number(),
    findings: z.array(finding),
    estimate: z
      .object({
        sample: z.object({ table: z.string(), rows: z.number(), bytes: z.number(), seconds: z.number() }),
        copySeconds: z.number(),
        indexSeconds: z.number(),
        compareSeconds: z.number(),
        windowSeconds: z.number(),
      })
      .nullable(),
  }),
  examples: [
    { command: "bucardo migrate plan --from postgresql://old/app --to postgresql://new/app", about: "As often as you like, weeks before." },
  ],
  exitCodes: { 0: "nothing stands in the way", 1: "something does" },
  async run(input, context) {
    const pair = readPair(input, context);
    const options = {
      only: input.only,
      skip: input.skip,
      jobs: 4,
      maxRate: null,
      roles: true,
      pgDump: input.pg_dump ?? null,
      skipObjects: [],
    };
    const plan = await makePlan({ ...pair, signal: context.signal }, options);
    return {
      from: pair.old.place,
      to: pair.new.place,
      oldVersion: plan.oldVersion,
      newVersion: plan.newVersion,
      under: plan.under,
      tables: plan.selection.tables.map((table) => ({
        table: displayName(table),
        bytes: table.bytes,
        key: table.key === null ? null : [...table.key],
        handling: table.handling,
      })),
      sequences: plan.selection.sequences.map(displayName),
      bytes: plan.bytes,
      findings: [...plan.findings],
      estimate: plan.estimate,
    };
  },
  print(plan, io, context) {
    io.out(`From ${plan.from}, PostgreSQL ${major(plan.oldVersion)}`);
    io.out(`To   ${plan.to}${plan.newVersion === null ? "" : `, PostgreSQL ${major(plan.newVersion)}`}`);
    io.out(`${counted(plan.tables.length, "table")} with ${size(plan.bytes)}, ${counted(plan.sequences.length, "sequence")}`);
    for (const table of plan.tables.slice(0, io.verbose > 0 ? Number.POSITIVE_INFINITY : 5))
      io.out(
        `  ${table.table.padEnd(40)} ${size(table.bytes).padStart(9)}  ${table.key === null ? "no key" : `key ${table.key.join(", ")}`}`,
      );
    if (plan.tables.length > 5 && io.verbose === 0) io.out(`  and ${count(plan.tables.length - 5)} more; -v shows all`);
    for (const [grade, title] of TITLES) {
      const found = plan.findings.filter((each) => each.grade === grade);
      if (found.length > 0) io.out(`${title}:`);
      for (const { what, remedy } of found) io.out(`  - ${what}${remedy === "" ? "" : `\n    ${remedy}`}`);
    }
    if (plan.estimate !== null) {
      const { copySeconds, indexSeconds, compareSeconds, windowSeconds, sample } = plan.estimate;
      io.out(
        `Estimate: copy ${about(copySeconds)}, indexes ${about(indexSeconds)}, comparison ${about(compareSeconds)} ` +
          `(measured with ${count(sample.rows)} rows of ${sample.table}). None of it is downtime.`,
      );
      if (windowSeconds >= 0.1) io.out(`Downtime for tables without key that are copied in the window: ${about(windowSeconds)}.`);
    }
    io.out(
      plan.under === null
        ? verdict(plan.findings.filter(({ grade }) => grade === "stop").length, context.program)
        : `The move to ${plan.under.to} is under way and stands at "${plan.under.phase}". Next: \`${context.program} migrate ${plan.under.next}\`.`,
    );
  },
  exit: ({ findings }) => (findings.some(({ grade }) => grade === "stop") ? 1 : 0),
});

function verdict(stops: number, program: string): string {
  if (stops === 0) return `Nothing stands in the way: \`${program} migrate start\`.`;
  return stops === 1 ? "One thing stands in the way." : `${stops} things stand in the way.`;
}

const TITLES = [
  ["stop", "In the way"],
  ["warning", "Take care"],
  ["note", "Good to know"],
] as const;

function major(version: number): string {
  return String(Math.floor(version / 10_000));
}

function about(seconds: number): string {
  return `about ${duration(Math.max(1, seconds) * 1000)}`;
}
