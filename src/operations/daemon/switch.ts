import { z } from "zod";
import { setPaused, setStatus } from "../../control/sync-switch.ts";
import type { SyncRow } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import type { Session } from "../../postgres/session.ts";
import { change } from "../change.ts";
import type { Context } from "../context.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { selectSyncs } from "./select-syncs.ts";

const input = z.object({ syncs: words({ about: "Names of syncs, wildcards, or all.", value: "SYNC", min: 1 }) });
const output = z.object({ messages: z.array(z.string()), changed: z.array(z.string()) });

type Switch = (control: Session, syncs: readonly SyncRow[]) => Promise<{ messages: string[]; changed: string[] }>;

async function flip(named: readonly string[], context: Context, work: Switch): Promise<{ messages: string[]; changed: string[] }> {
  // Versions 4 and 5: a number asked to wait for the daemon's answer. Here the state is stored when the command ends.
  const names = /^\d+$/.test(named.at(-1) ?? "") ? named.slice(0, -1) : named;
  if (names.length === 0) throw new BucardoError("usage", "Name a sync.");
  return await change(context, async (control) => work(control, await selectSyncs(control, names)));
}

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
