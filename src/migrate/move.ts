import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import type { RunDefinition } from "../replicate/definition.ts";
import type { SchemaDump } from "../schema/dump.ts";
import { openEndpoint, type Endpoint } from "./endpoint.ts";
import type { Phase } from "./phase.ts";
import { Pace, type MigrationProgress } from "./progress.ts";
import type { Selection } from "./selection.ts";
import { writeProgress, writeSample, type Migration } from "./state.ts";

/** Both ends of a move and who is told about it. */
export type MoveContext = {
  readonly old: Endpoint;
  readonly new: Endpoint;
  readonly signal: AbortSignal;
  /** Whenever something moved: often. */
  readonly onProgress: (progress: MigrationProgress) => void;
  /** A sentence that should stay in view. */
  readonly onMessage: (line: string) => void;
};

/** What a phase works with. */
export type Move = MoveContext & {
  /** As it was when the command began; `relations` once they are chosen. */
  readonly migration: Migration;
  /** On the old side; holds the lock of the move, and is for its state alone. */
  readonly state: Session;
  /** The structure of the old side, read once for this command. */
  structure(): Promise<SchemaDump>;
  /** Tells what is being done; what is left out is as it was at the beginning of the phase. */
  report(change: Partial<Omit<MigrationProgress, "phase" | "at" | "rate" | "secondsLeft">>): void;
};

/** What one phase did, for the report; counts and names, never rows. */
export type PhaseResult = Readonly<Record<string, unknown>>;

/** The relations of a move, which every phase after `capture` has. */
export function relationsOf(migration: Migration): Selection {
  if (migration.relations !== null) return migration.relations;
  throw new BucardoError("internal", `the move ${migration.id} has no list of tables`);
}

/** The name of the new side in checkpoints on the old one, and the other way round. */
export const NEW = "new";
export const OLD = "old";

/** What checkpoints call the sync of a move. */
export const SYNC_NAME = "migrate";

/** The sync of a move: no control database knows it. */
export function syncOf(migration: Pick<Migration, "id">): { readonly id: string; readonly name: string } {
  return { id: migration.id, name: SYNC_NAME };
}

/** What one run carries: every table that is followed by its key, and all sequences. */
export function definitionOf(migration: Pick<Migration, "id">, relations: Selection): RunDefinition {
  return {
    sync: syncOf(migration),
    source: OLD,
    target: NEW,
    relations: [
      ...relations.tables
        .filter((table) => table.handling === "follow")
        .map(({ schema, name, key }) => ({ kind: "table" as const, name: { schema, name }, key })),
      ...relations.sequences.map((name) => ({ kind: "sequence" as const, name, key: null })),
    ],
    onetimecopy: 0,
    // The structure was copied: defaults that two versions spell differently are no fault.
    strict: false,
  };
}

export function openOld(move: Move, purpose: string): Promise<Session> {
  return openEndpoint(move.old, purpose, move.signal);
}

export function openNew(move: Move, purpose: string): Promise<Session> {
  return openEndpoint(move.new, purpose, move.signal);
}

/** How often the state on the old side is brought up to date, and a sample kept for the plots, in milliseconds. */
const WRITE_MS = 1000;
const SAMPLE_MS = 5000;

/** Puts progress together for one phase: rate and time left are added, listeners told at once, the state written once a second. */
export function reporterOf(
  phase: Phase,
  context: Pick<MoveContext, "onProgress">,
  state: Session,
): { report: Move["report"]; flush(): Promise<void> } {
  const pace = new Pace();
  let progress: MigrationProgress = {
    phase,
    doing: null,
    done: 0,
    expected: null,
    unit: "objects",
    rate: null,
    secondsLeft: null,
    tables: [],
    lag: null,
    at: Date.now(),
  };
  let written = 0;
  let sampled = 0;
  let writing: Promise<void> = Promise.resolve();
  const store = async (): Promise<void> => {
    await writeProgress(state, progress);
    if (progress.at - sampled < SAMPLE_MS) return;
    sampled = progress.at;
    await writeSample(state, progress);
  };
  // Whoever looks sees a little less when this fails; the work goes on.
  const write = (): Promise<void> => (writing = writing.then(store).catch(() => undefined));
  return {
    report(change) {
      const at = Date.now();
      progress = { ...progress, ...change, at };
      pace.add(at, progress.done);
      progress = { ...progress, rate: pace.rate, secondsLeft: pace.left(progress.expected) };
      context.onProgress(progress);
      if (at - written < WRITE_MS) return;
      written = at;
      void write();
    },
    async flush() {
      await write();
    },
  };
}
