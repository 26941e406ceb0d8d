import { phases, phaseWords } from "../migrate/phase.ts";
import type { Look } from "../migrate/look.ts";
import type { Pair } from "../operations/migrate/endpoints.ts";
import { timesOf } from "../operations/migrate/watcher.ts";
import type { MigrationView, TurnView } from "./page-types.ts";

const STEPS = 50;

/** A move as the page sees it. Pure. */
export function viewMove(pair: Pair, { migration, steps, worker, lag, decided }: Look, turn: TurnView | null, now: Date): MigrationView {
  const at = phases.indexOf(migration.phase);
  const { took, elapsedMs } = timesOf(steps, worker === null ? migration.changedAt : now);
  const last = steps.findLast((step) => step.ended !== null);
  const failed = last?.outcome === "failed" && worker === null ? (last.detail as { error?: string } | null)?.error : undefined;
  return {
    id: migration.id,
    from: pair.old.place,
    to: migration.targetPlace,
    fromDatabase: pair.old.dbname,
    toDatabase: pair.new.dbname,
    startedAt: migration.startedAt.toISOString(),
    elapsedMs,
    working: worker?.what ?? null,
    openSide: migration.openSide,
    decided,
    phase: migration.phase,
    phases: phases.map((name, index) => ({
      name,
      words: phaseWords[name],
      state: index < at || (index === at && name === "ready") ? "done" : index === at ? "now" : "waits",
      tookMs: index > at ? null : (took[name] ?? null),
    })),
    progress: progressOf(migration.progress, migration.phase),
    lag,
    tables: migration.relations?.tables.length ?? 0,
    sequences: migration.relations?.sequences.length ?? 0,
    steps: steps.slice(-STEPS).map(({ phase, began, ended, outcome, detail }) => ({
      phase,
      began: began.toISOString(),
      ended: ended?.toISOString() ?? null,
      outcome,
      detail: detail as Record<string, unknown> | null,
    })),
    failure: failed ?? null,
    turn,
    next:
      worker !== null ? null : migration.openSide === "new" ? "switchback" : migration.phase === "ready" || decided ? "cutover" : "start",
  };
}

function progressOf(progress: Look["migration"]["progress"], phase: string): MigrationView["progress"] {
  if (progress === null || progress.phase !== phase) return null;
  const { doing, done, expected, unit, rate, secondsLeft, tables, at } = progress;
  return { doing, done, expected, unit, rate, secondsLeft, tables: [...tables], at: new Date(at).toISOString() };
}
