import { z } from "zod";
import { sleep } from "../../base/sleep.ts";
import { requestKick } from "../../control/kick.ts";
import type { SyncRow } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import type { Session } from "../../postgres/session.ts";
import type { Context } from "../context.ts";
import { integer, key, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { requireDaemon } from "./ask-daemon.ts";
import { waitForKick, type KickEnd } from "./kick-wait.ts";
import { selectSyncs } from "./select-syncs.ts";

const result = z.object({
  sync: z.string(),
  /** refused: inactive or paused; kicked: not waited for. */
  outcome: z.enum(["done", "timeout", "killed", "kicked", "refused"]),
  ms: z.number(),
  error: z.string().nullable(),
});
type Result = z.output<typeof result>;

const EXIT: Readonly<Record<Result["outcome"], number>> = { done: 0, kicked: 0, refused: 0, timeout: 1, killed: 2 };

export const kick = defineOperation({
  name: ["kick"],
  summary: "Ask syncs to run now, and wait for it if you like",
  description:
    "Without a number it asks and returns. With a number it waits for so many seconds per sync, with 0 for ever, until a run that began after " +
    "the kick has settled on every target: then all that was committed before the kick is there.\n\n" +
    "A fault that heals by itself, such as a target that is down, is waited for and said; one that needs a person ends the wait as killed. " +
    "When no daemon runs, that is said at once.",
  group: "syncs",
  effect: "writes",
  rehearsable: false,
  control: "required",
  noise: ["sync", "syncs"],
  input: z.object({
    syncs: words({
      about: "Names of syncs, wildcards, or all (also all copy|delta|swap [active]); then the number of seconds to wait.",
      value: "SYNC [SECONDS]",
      min: 1,
    }),
    retry: key(integer(0, 1_000_000).default(0), { about: "So many times more, when a run is killed.", value: "N" }),
    "retry-sleep": key(integer(0, 1_000_000).default(0), { about: "Seconds between them.", value: "N" }),
    notimer: key(z.union([z.boolean(), z.string()]).optional(), { about: "No counter while it waits.", flag: true }),
  }),
  output: z.object({ syncs: z.array(result) }),
  exitCodes: {
    1: "A sync was not done in time.",
    2: "A run failed (killed).",
    3: "Something else went wrong, for instance no daemon runs.",
  },
  examples: [
    { command: "bucardo_ctl kick pepper 0", about: "Returns when the changes have arrived." },
    { command: "bucardo kick all 30", about: "Every active sync, at most half a minute each." },
  ],
  async run({ syncs, retry, "retry-sleep": pause, notimer }, context) {
    try {
      return { syncs: await kickAll(context, syncs, { retry, pause, timer: notimer === undefined }) };
    } catch (error) {
      throw asOther(error);
    }
  },
  // What people see is printed while it happens.
  print: () => undefined,
  exit: ({ syncs }) => EXIT[syncs.findLast((one) => one.outcome !== "refused")?.outcome ?? "refused"],
});

async function kickAll(
  context: Context,
  named: readonly string[],
  how: { retry: number; pause: number; timer: boolean },
): Promise<Result[]> {
  const last = named.at(-1) ?? "";
  const seconds = /^\d+$/.test(last) ? Number(last) : null;
  const names = seconds === null ? named : named.slice(0, -1);
  if (seconds === null && /^[+-]?[\d.]+\w?$/.test(last))
    throw new BucardoError("bad-value", `SECONDS must be a whole number, not "${last}".`, { advice: "0 waits until the sync is done." });
  if (names.length === 0) throw new BucardoError("usage", "Name a sync.", { advice: "`bucardo kick SYNC [SECONDS]`" });
  const chosen = await selectKicked(await context.control(), names);
  await requireDaemon(context);
  for (let left = how.retry; ; left -= 1) {
    const results = await kickOnce(context, chosen, seconds, how.timer);
    if (left <= 0 || !results.some((one) => one.outcome === "killed")) return results;
    await sleep(how.pause * 1000, context.signal);
  }
}

const TYPES: Readonly<Record<string, (sync: SyncRow) => boolean>> = {
  copy: (sync) => typeOf(sync) === "copy",
  fullcopy: (sync) => typeOf(sync) === "copy",
  delta: (sync) => typeOf(sync) === "delta",
  pushdelta: (sync) => typeOf(sync) === "delta",
  swap: (sync) => typeOf(sync) === "swap",
  active: (sync) => sync.status === "active",
  inactive: (sync) => sync.status === "inactive",
};

/** Names and wildcards; or `all`, narrowed as in version 4: `all copy|delta|swap [active]`. */
async function selectKicked(control: Session, names: readonly string[]): Promise<SyncRow[]> {
  const [first = "", ...rest] = names;
  const narrowed = rest.map((word) => TYPES[word.toLowerCase()]).filter((test) => test !== undefined);
  if (first.toLowerCase() !== "all" || narrowed.length < rest.length) return await selectSyncs(control, names);
  return (await selectSyncs(control, ["all"])).filter((sync) => narrowed.every((test) => test(sync)));
}

/** What version 4 called its type: by the roles of its databases. */
function typeOf(sync: SyncRow): "copy" | "delta" | "swap" {
  const count = (role: string): number => sync.members.filter((member) => member.role === role).length;
  if (count("source") > 1) return "swap";
  return count("target") === 0 && count("fullcopy") > 0 ? "copy" : "delta";
}

/** All are asked first, then waited for one after the other: they run side by side. */
async function kickOnce(context: Context, syncs: readonly SyncRow[], seconds: number | null, timer: boolean): Promise<Result[]> {
  const control = await context.control();
  const asked: { sync: SyncRow; id: number | null; began: number }[] = [];
  for (const sync of syncs) {
    const why = sync.status === "inactive" ? "inactive" : sync.paused ? "paused" : null;
    if (why !== null) say(context, `Cannot kick ${why} sync "${sync.name}"`);
    asked.push({ sync, id: why === null ? await requestKick(control, sync.id) : null, began: performance.now() });
  }
  const results: Result[] = [];
  for (const { sync, id, began } of asked) {
    if (id === null) results.push({ sync: sync.name, outcome: "refused", ms: 0, error: null });
    else if (seconds === null) {
      say(context, `Kicked sync ${sync.name}`);
      results.push({ sync: sync.name, outcome: "kicked", ms: 0, error: null });
    } else {
      const end: KickEnd = await waitForKick(context, {
        sync: sync.name,
        syncId: sync.id,
        kick: id,
        began,
        limitMs: seconds === 0 ? null : seconds * 1000,
        timer,
      });
      results.push({ sync: sync.name, ...end });
    }
  }
  return results;
}

function say(context: Context, line: string): void {
  if (!context.flags.json) context.io.out(line);
}

/** Exit code 3 for whatever is neither a timeout nor a killed run; a mistake of the command line stays 1. */
function asOther(error: unknown): unknown {
  if (error instanceof BucardoError && error.exit === 1 && !["usage", "bad-value", "unknown-object"].includes(error.code)) {
    return new BucardoError(error.code, error.message, { ...error.details, exit: 3 });
  }
  return error;
}
