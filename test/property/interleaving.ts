import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import type { Major } from "../harness/binaries.ts";
import { type Server, startServer } from "../harness/server.ts";
import { anyCommands } from "./command.ts";
import { anySchema } from "./schema.ts";
import { live, settings } from "./world.ts";

export type Plan = {
  readonly seconds: number;
  /** At most so many commands in one life. */
  readonly commands: number;
  readonly pairs: readonly (readonly [Major, Major])[];
  /** Servers crash, whose commits are asynchronous: what they had not yet written is lost. */
  readonly crashes?: boolean;
};

/**
 * Lives after lives, each from a seed of its own, until the time is up. A failure says its seed: BUCARDO_SEED=n replays that one life alone, and gives
 * fast-check all the time it needs to shrink it.
 */
export function interleavings({ seconds, commands, pairs, crashes = false }: Plan): void {
  const wanted = process.env["BUCARDO_SEED"];
  const budget = Number(process.env["BUCARDO_PROPERTY_SECONDS"] ?? seconds);

  test(
    `whatever ${crashes ? "writers, the engine and crashing servers" : "writers and the engine"} do, a run leaves its snapshot on the target, and the end is equal`,
    { timeout: 3_600_000 },
    async () => {
      const end = performance.now() + budget * 1000;
      const first = wanted === undefined ? Math.floor(Math.random() * 1_000_000_000) : Number(wanted);
      const total = { lives: 0, runs: 0, cut: 0, voids: 0, checked: 0, unseen: 0 };
      for (let seed = first; performance.now() < end || seed === first; seed++) {
        await oneLife(seed, total);
        if (wanted !== undefined) break;
      }
      if (process.env["BUCARDO_PROPERTY_COUNTS"]) process.stderr.write(`${JSON.stringify(total)}\n`);
      expect(total.checked).toBeGreaterThan(0);
    },
  );

  async function oneLife(seed: number, total: Record<string, number>): Promise<void> {
    let shrinkUntil = Number.POSITIVE_INFINITY;
    const property = fc.asyncProperty(
      anySchema,
      anyCommands(commands),
      fc.constantFrom(...pairs),
      fc.constantFrom(1, 2),
      async (schema, list, majors, copyFirst) => {
        if (performance.now() > shrinkUntil) return;
        try {
          const counts = await live(schema, list, { majors, copyFirst, ...(crashes && { servers: await ownServers(majors) }) });
          for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count;
        } catch (error) {
          shrinkUntil = Math.min(
            shrinkUntil,
            performance.now() + Number(process.env["BUCARDO_SHRINK_SECONDS"] ?? (wanted === undefined ? 60 : 1800)) * 1000,
          );
          throw error;
        }
      },
    );
    const details = await fc.check(property, { seed, numRuns: 1 });
    total["lives"] = (total["lives"] ?? 0) + 1;
    if (!details.failed) return;
    throw new Error(
      `BUCARDO_SEED=${seed} replays this (shrunk ${details.numShrinks} times)\n${String(details.errorInstance)}\n\n${fc.stringify(details.counterexample)}`,
    );
  }

  const own = new Map<string, Promise<Server>>();
  afterAll(async () => {
    for (const server of own.values()) await (await server)[Symbol.asyncDispose]();
  });

  async function ownServers([from, to]: readonly [Major, Major]): Promise<{ source: Server; target: Server }> {
    return { source: await ownServer("source", from), target: await ownServer("target", to) };
  }

  function ownServer(side: string, major: Major): Promise<Server> {
    const key = `${side} ${major}`;
    const asynchronous = { ...settings, synchronous_commit: "off", wal_writer_delay: "10s", bgwriter_delay: "10s" };
    const server = own.get(key) ?? startServer({ major, settings: asynchronous });
    own.set(key, server);
    return server;
  }
}
