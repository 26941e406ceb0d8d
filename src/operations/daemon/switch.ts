import { z } from "zod";
import { sleep } from "../../base/sleep.ts";
import { daemonIsAlive } from "../../control/daemon.ts";
import { recentRuns } from "../../control/run.ts";
import { setPaused, setStatus } from "../../control/sync-switch.ts";
import type { SyncRow } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import type { Session } from "../../postgres/session.ts";
import { change } from "../change.ts";
import type { Context } from "../context.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { askDaemon } from "./ask-daemon.ts";
import { selectSyncs } from "./select-syncs.ts";

const input = z.object({
  syncs: words({
    about: "Names of syncs, wildcards, or all; then so many seconds to wait until the daemon has done it (0: for ever).",
    value: "SYNC [SECONDS]",
    min: 1,
  }),
});
const output = z.object({ messages: z.array(z.string()), changed: z.array(z.string()) });

type Switch = (control: Session, syncs: readonly SyncRow[]) => Promise<{ messages: string[]; changed: string[] }>;

/** A number at the end: wait so many seconds (0: for ever) until a living daemon has done it, and runs of what was switched off have ended. */
async function flip(named: readonly string[], context: Context, work: Switch): Promise<{ messages: string[]; changed: string[] }> {
  const last = named.at(-1) ?? "";
  const seconds = /^\d+$/.test(last) ? Number(last) : null;
  const names = seconds === null ? named : named.slice(0, -1);
  if (names.length === 0) throw new BucardoError("usage", "Name a sync.");
  const done = await change(context, async (control) => work(control, await selectSyncs(control, names)));
  if (seconds !== null && !context.flags.dryrun) await untilTaken(context, done.changed, seconds === 0 ? null : seconds * 1000);
  return done;
}

/** Errors: timeout. Without a daemon there is nothing to wait for. */
async function untilTaken(context: Context, names: readonly string[], limitMs: number | null): Promise<void> {
  const control = await context.control();
  if (names.length === 0 || !(await daemonIsAlive(control))) return;
  const end = limitMs === null ? null : performance.now() + limitMs;
  const left = (): number | null => (end === null ? null : Math.max(1, end - performance.now()));
  await askDaemon(context, "reload", null, left());
  const idle = (await selectSyncs(control, names)).filter((sync) => sync.status === "inactive").map(({ id }) => id);
  const runs = async (): Promise<boolean> => (await recentRuns(control)).some((run) => run.ended === null && idle.includes(run.sync));
  while (idle.length > 0 && (await runs())) {
    if (end !== null && performance.now() >= end)
      throw new BucardoError("timeout", "A run still goes on.", {
        advice: "The sync is inactive; the run is finished, and no other begins.",
      });
    await sleep(POLL_MS, context.signal);
  }
}

const POLL_MS = 200;

function ofStatus(status: "active" | "inactive", doing: string): Switch {
  return async (control, syncs) => {
    const changed = await setStatus(
      control,
      syncs.map((sync) => sync.id),
      status,
    );
    return {
      messages: syncs.map((sync) =>
        changed.includes(sync.id) ? `${doing} sync ${sync.name}...OK` : `Sync ${sync.name} is already ${status}`,
      ),
      changed: syncs.filter((sync) => changed.includes(sync.id)).map((sync) => sync.name),
    };
  };
}

function ofPause(paused: boolean): Switch {
  return async (control, syncs) => {
    const active = syncs.filter((sync) => sync.status === "active");
    const changed = await setPaused(
      control,
      active.map((sync) => sync.id),
      paused,
    );
    const names = active.filter((sync) => changed.includes(sync.id)).map((sync) => sync.name);
    const inactive = syncs.filter((sync) => sync.status !== "active").map((sync) => `Sync ${sync.name} is inactive`);
    const word = paused ? "paused" : "resumed";
    return { messages: [...inactive, names.length === 0 ? `No syncs were ${word}` : `Syncs ${word}: ${names.join(",")}`], changed: names };
  };
}

const shared = { group: "syncs", effect: "writes", control: "required", noise: ["sync", "syncs"], input, output } as const;

export const activate = defineOperation({
  ...shared,
  name: ["activate"],
  summary: "Switch syncs on",
  description: "A living daemon begins to run them at once; otherwise they run from its next start on.",
  examples: [{ command: "bucardo activate pepper", about: "Runs from now on." }],
  run: ({ syncs }, context) => flip(syncs, context, ofStatus("active", "Activating")),
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});

export const deactivate = defineOperation({
  ...shared,
  name: ["deactivate"],
  summary: "Switch syncs off",
  description: "A run that is going on is finished. Changes are still captured, so nothing is missed when the sync is switched on again.",
  examples: [{ command: "bucardo deactivate pepper", about: "Does not run any more." }],
  run: ({ syncs }, context) => flip(syncs, context, ofStatus("inactive", "Deactivating")),
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});

export const pause = defineOperation({
  ...shared,
  name: ["pause"],
  summary: "Hold active syncs for a while",
  description:
    "A run that is going on is finished. Capture goes on. Paused syncs stay paused when the daemon is restarted, until `resume`.",
  examples: [{ command: "bucardo pause all", about: "Holds every active sync." }],
  run: ({ syncs }, context) => flip(syncs, context, ofPause(true)),
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});

export const resume = defineOperation({
  ...shared,
  name: ["resume"],
  summary: "Let paused syncs go on",
  description: "What was changed meanwhile is carried at once.",
  examples: [{ command: "bucardo resume 'shop_*'", about: "Every paused sync whose name begins so." }],
  run: ({ syncs }, context) => flip(syncs, context, ofPause(false)),
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});
