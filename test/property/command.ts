import fc from "fast-check";
import { points } from "../../src/base/point.ts";

/** What one of the writers does. Numbers are taken modulo what there is, so that every command means something for every schema. */
export type WriterCommand =
  | { readonly by: number; readonly do: "begin" | "commit" | "rollback" | "savepoint" | "rollback to" | "prepare" }
  | {
      readonly by: number;
      readonly do: Change;
      readonly table: number;
      /** 0: through the table itself, else through one of its parts. */
      readonly way: number;
      readonly key: number;
      readonly other: number;
      readonly value: number;
      /** Under a savepoint: an error undoes only this statement. */
      readonly guarded: boolean;
    };

export const changes = [
  "insert",
  "insert many",
  "update",
  "update all",
  "delete",
  "delete all",
  "upsert",
  "rekey",
  "move",
  "set unique",
  "refer",
  "copy",
  "move rows by cte",
  "truncate",
  "truncate cascade",
] as const;
export type Change = (typeof changes)[number];

/** What happens around the writers, each in a session of its own. */
export type SideCommand =
  | { readonly do: "purge"; readonly rotateBytes: number }
  | { readonly do: "finish prepared"; readonly commit: boolean }
  | { readonly do: "vacuum full"; readonly table: number }
  | { readonly do: "detach" | "attach"; readonly table: number; readonly leaf: number };

export type Cut = {
  readonly point: (typeof cutPoints)[number];
  /** A crash takes the whole server, with what it had not yet written; where servers are shared it is a kill. */
  readonly how: "fail" | "abort" | "kill source" | "kill target" | "crash source" | "crash target";
};

export type RunCommand = {
  readonly do: "run";
  readonly target: number;
  readonly cut: Cut | null;
  /** Happens while the run stands at a point. */
  readonly meanwhile: { readonly point: (typeof cutPoints)[number]; readonly commands: readonly (WriterCommand | SideCommand)[] } | null;
  /** Writers that the run waits for end like this. */
  readonly blockers: "commit" | "rollback";
};

export type EngineCommand =
  | RunCommand
  | { readonly do: "add target" | "add tables" }
  | { readonly do: "add column"; readonly table: number; readonly rewriting: boolean }
  | { readonly do: "release backlog"; readonly target: number }
  | { readonly do: "crash source" | "crash target" };

export type Command = WriterCommand | SideCommand | EngineCommand;

export const cutPoints = points.filter((point) => point.startsWith("replicate."));

const nat = (max: number) => fc.nat({ max });

/** The last one never begins a transaction: each of its statements is one. */
export const writerCount = 5;
const by = nat(writerCount - 1);

const control = fc.record({
  by,
  do: fc.oneof(
    { arbitrary: fc.constant("begin" as const), weight: 5 },
    { arbitrary: fc.constant("commit" as const), weight: 4 },
    { arbitrary: fc.constant("rollback" as const), weight: 1 },
    { arbitrary: fc.constantFrom("savepoint", "rollback to"), weight: 2 },
    { arbitrary: fc.constant("prepare" as const), weight: 1 },
  ),
});

const weights: Partial<Record<Change, number>> = { insert: 6, "insert many": 3, update: 4, rekey: 4, upsert: 3, move: 3, "set unique": 3 };

const change = fc.record({
  by,
  do: fc.oneof(...changes.map((each) => ({ arbitrary: fc.constant(each), weight: weights[each] ?? 1 }))),
  table: nat(5),
  way: fc.oneof({ arbitrary: fc.constant(0), weight: 2 }, { arbitrary: nat(4), weight: 1 }),
  key: nat(7),
  other: nat(7),
  value: nat(5),
  guarded: fc.boolean(),
});

const writer: fc.Arbitrary<WriterCommand> = fc.oneof({ arbitrary: control, weight: 2 }, { arbitrary: change, weight: 5 });

const side: fc.Arbitrary<SideCommand> = fc.oneof(
  { arbitrary: fc.record({ do: fc.constant("purge" as const), rotateBytes: fc.constantFrom(0, 8192, 1_000_000) }), weight: 4 },
  { arbitrary: fc.record({ do: fc.constant("finish prepared" as const), commit: fc.boolean() }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant("vacuum full" as const), table: nat(5) }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constantFrom("detach", "attach"), table: nat(5), leaf: nat(3) }), weight: 2 },
);

const point = fc.constantFrom(...cutPoints);

/** What a run has read is in danger from its snapshot to the end of its reading. */
const delicate = fc.oneof(
  { arbitrary: fc.constant("replicate.snapshot-taken" as const), weight: 4 },
  { arbitrary: fc.constant("replicate.table-staged" as const), weight: 3 },
  { arbitrary: point, weight: 3 },
);

const disturbance: fc.Arbitrary<WriterCommand> = fc.record({
  by: fc.constant(writerCount - 1),
  do: fc.constantFrom("truncate", "truncate cascade", "delete all", "update all", "move", "rekey", "insert"),
  table: nat(5),
  way: nat(4),
  key: nat(7),
  other: nat(7),
  value: nat(5),
  guarded: fc.constant(false),
});

const run: fc.Arbitrary<RunCommand> = fc.record({
  do: fc.constant("run" as const),
  target: nat(1),
  cut: fc.oneof(
    { arbitrary: fc.constant(null), weight: 2 },
    {
      arbitrary: fc.record({ point, how: fc.constantFrom("fail", "abort", "kill source", "kill target", "crash source", "crash target") }),
      weight: 1,
    },
  ),
  meanwhile: fc.option(
    fc.record({
      point: delicate,
      commands: fc.array(
        fc.oneof({ arbitrary: writer, weight: 4 }, { arbitrary: disturbance, weight: 3 }, { arbitrary: side, weight: 2 }),
        { minLength: 1, maxLength: 6, size: "max" },
      ),
    }),
    { freq: 2 },
  ),
  blockers: fc.constantFrom("commit", "rollback"),
});

const rare: fc.Arbitrary<EngineCommand> = fc.oneof(
  fc.record({ do: fc.constantFrom("add target", "add tables") }),
  fc.record({ do: fc.constant("add column" as const), table: nat(5), rewriting: fc.boolean() }),
  fc.record({ do: fc.constant("release backlog" as const), target: nat(1) }),
  fc.record({ do: fc.constantFrom("crash source", "crash target") }),
);

export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: writer, weight: 16 },
  { arbitrary: run, weight: 3 },
  { arbitrary: side, weight: 2 },
  { arbitrary: rare, weight: 1 },
);

export function anyCommands(maxLength: number): fc.Arbitrary<Command[]> {
  return fc.array(anyCommand, { minLength: 25, maxLength, size: "max" });
}
