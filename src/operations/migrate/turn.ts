import { z } from "zod";
import { gateNames } from "../../migrate/gate.ts";
import { turn, type Direction } from "../../migrate/turn.ts";
import { BucardoError } from "../../model/error.ts";
import type { Context } from "../context.ts";
import { bool, integer, key, list, text } from "../input.ts";
import { interval } from "../interval.ts";
import { defineOperation } from "../operation.ts";
import { confirmName } from "./confirm.ts";
import { endpointKeys, readPair } from "./endpoints.ts";
import { eventTeller } from "./event-line.ts";
import { moment } from "./measure.ts";

const gate = z.object({ name: z.string(), state: z.string(), why: z.string(), remedy: z.string().nullable() });
const timing = z.object({ step: z.string(), at: z.number(), ms: z.number(), detail: z.string().nullable() });

const input = z.object({
  ...endpointKeys,
  budget: key(interval.default(10), {
    about: "Longest time that writers may have to wait; over it everything is undone (default 10 s).",
    value: "PERIOD",
  }),
  rehearse: key(bool.default(false), {
    about: "Everything up to the point of no return, then undone: prints how long it takes.",
    flag: true,
  }),
  yes: key(bool.default(false), { about: "Answer the question, for scripts.", flag: true, short: "y", local: true }),
  verify: key(bool.default(true), { about: "Check the rows that were touched since the comparison, while writers wait." }),
  way_back: key(bool.default(true), { about: "Arm the way back before the first write on the other side." }),
  pgbouncer: key(list.default([]), {
    about: "Admin consoles of PgBouncers to pause and to point to the other side; one URL or more.",
    value: "URL,...",
    list: true,
    local: true,
  }),
  pgbouncer_ini: key(list.default([]), {
    about: "Their configuration files, in the same order.",
    value: "FILE,...",
    list: true,
    local: true,
  }),
  pgbouncer_database: key(text.optional(), {
    about: "Name of the database there (default: that of the side that is left).",
    value: "NAME",
  }),
  on_switch: key(text.optional(), {
    about: "Command run by the shell when the other side is open, with BUCARDO_FROM, BUCARDO_TO and BUCARDO_STEP set.",
    value: "COMMAND",
    local: true,
  }),
  on_switch_timeout: key(interval.default(60), { about: "How long it may take (default 60 s).", value: "PERIOD" }),
  sequence_gap: key(integer(0, 1_000_000_000).default(1000), {
    about: "Values that each sequence is advanced, as nextval cannot be fenced.",
    value: "N",
  }),
  override: key(list.default([]), {
    about: `Gates that warn instead of stopping: ${gateNames.join(", ")}.`,
    value: "GATE,...",
    list: true,
  }),
});

const output = z.object({
  from: z.string(),
  to: z.string(),
  outcome: z.enum(["switched", "rehearsed", "refused", "undone"]),
  downtimeMs: z.number().nullable(),
  gates: z.array(gate),
  timings: z.array(timing),
  why: z.object({ code: z.string(), message: z.string(), advice: z.string() }).nullable(),
  warnings: z.array(z.string()),
});

const exitCodes = {
  0: "switched, or rehearsed",
  1: "refused by a gate, nothing was begun",
  2: "undone: writers are where they were, nothing is lost",
};

export const migrateCutover = turnOperation("cutover", {
  summary: "Move the writers to the new side, within a budget of time",
  description:
    "Catches up, looks whether every gate is open, keeps writers off the old side (readers go on), carries what is left, brings sequences over, checks, arms the " +
    "way back, and opens the new side. Anything that fails before the point of no return is undone and the old side is open again at once; if this program " +
    "dies, it opens by itself at the end of the budget.",
  examples: [
    { command: "bucardo migrate cutover --rehearse", about: "How long would it take? Nothing changes." },
    {
      command: "bucardo migrate cutover --pgbouncer postgresql://admin@pool:6432/pgbouncer --pgbouncer-ini /etc/pgbouncer/pgbouncer.ini",
      about: "No client sees an error.",
    },
  ],
});

export const migrateSwitchback = turnOperation("switchback", {
  summary: "Move the writers back to the old side",
  description:
    "The same guarded step as `cutover`, the other way: the old side has followed the new one since (`migrate follow`, or it catches up now).",
  examples: [{ command: "bucardo migrate switchback --yes", about: "Without a question." }],
});

function turnOperation(
  direction: Direction,
  words: { readonly summary: string; readonly description: string; readonly examples: readonly { command: string; about: string }[] },
) {
  return defineOperation({
    name: ["migrate", direction],
    ...words,
    group: "migration",
    effect: "writes",
    rehearsable: false,
    control: "none",
    input,
    output,
    exitCodes,
    async run(given, context) {
      refuseUnknownGates(given.override);
      const pair = readPair(given, context);
      const [from, to] = direction === "cutover" ? [pair.old, pair.new] : [pair.new, pair.old];
      if (!given.rehearse) await confirmName(context, from.dbname, `Writers move from ${from.place} to ${to.place}.`, given.yes);
      const linesOf = eventTeller(context.io.verbose > 0);
      const report = await turn({ ...pair, signal: context.signal }, direction, {
        budgetMs: (given.budget ?? 10) * 1000,
        rehearse: given.rehearse,
        verify: given.verify,
        wayBack: given.way_back,
        onSwitch: given.on_switch ?? null,
        onSwitchTimeoutMs: (given.on_switch_timeout ?? 60) * 1000,
        sequenceGap: given.sequence_gap,
        override: given.override,
        poolers: poolersOf(given),
        onEvent: (event) => {
          context.io.event?.(event);
          tell(context, linesOf(event));
        },
      });
      return {
        from: from.place,
        to: to.place,
        outcome: report.outcome,
        downtimeMs: report.downtimeMs,
        gates: [...report.gates],
        timings: [...report.timings],
        why: report.why === null ? null : { code: report.why.code, message: report.why.message, advice: report.why.advice },
        warnings: [...report.warnings],
      };
    },
    print(report, io, context) {
      const down = report.downtimeMs === null ? "" : ` Writers waited ${moment(report.downtimeMs)}.`;
      if (report.outcome === "switched") {
        io.out(`Switched: ${report.to} is in use.${down}`);
        const next = direction === "cutover" ? "switchback" : "cutover";
        io.out(`Next: \`${context.program} migrate follow\` keeps ${report.from} in step;`);
        io.out(`      \`${context.program} migrate ${next}\` goes back, \`${context.program} migrate finish\` ends it.`);
      } else if (report.outcome === "rehearsed") io.out(`Rehearsed, and undone: everything is as it was.${down}`);
      else {
        io.out(report.outcome === "refused" ? "Refused: nothing was begun." : `Undone: ${report.from} is in use as before.${down}`);
        if (report.why !== null) io.err(`${report.why.message}\n${report.why.advice}`);
      }
    },
    exit: ({ outcome }) => (outcome === "refused" ? 1 : outcome === "undone" ? 2 : 0),
  });
}

function tell(context: Context, lines: readonly string[]): void {
  if (!context.flags.json) for (const line of lines) context.io.out(line);
}

function refuseUnknownGates(names: readonly string[]): void {
  const unknown = names.filter((name) => !(gateNames as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw new BucardoError("bad-value", `There is no gate ${unknown.join(", ")}.`, { advice: `The gates: ${gateNames.join(", ")}.` });
}

function poolersOf(given: z.output<typeof input>) {
  const { pgbouncer, pgbouncer_ini: files, pgbouncer_database: database } = given;
  if (files.length > 0 && files.length !== pgbouncer.length)
    throw new BucardoError(
      "usage",
      `${pgbouncer.length} consoles, but ${files.length} files: each --pgbouncer has its --pgbouncer-ini, in the same order.`,
    );
  return pgbouncer.map((console, index) => ({ console, ini: files[index] ?? null, database: database ?? null }));
}
