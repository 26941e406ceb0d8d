import { open } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Server } from "../test/harness/server.ts";

/** Settings under which a server's log tells every statement and how long it took. */
export const loggedStatements = { log_min_duration_statement: 0, log_duration: false } as const;

export type Statements = { readonly count: number; readonly milliseconds: number };

/** Where a server's log ends now. */
export async function endOfLog(server: Server): Promise<number> {
  const file = await open(server.logFile);
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/** What the server did in each database since then: statements that were executed, and the time of all their parts. */
export async function statementsSince(server: Server, from: number): Promise<ReadonlyMap<string, Statements>> {
  const found = new Map<string, Statements>();
  for await (const line of createInterface({ input: createReadStream(server.logFile, { start: from }) })) {
    // As log_line_prefix of the harness has it: time [pid] database.
    const [, database, duration, kind] = /^\S+ \S+ UTC \[\d+\] (\S+) LOG: {2}duration: ([\d.]+) ms {2}(\w+)/.exec(line) ?? [];
    if (database === undefined) continue;
    const before = found.get(database) ?? { count: 0, milliseconds: 0 };
    const executed = kind === "statement" || kind === "execute" ? 1 : 0;
    found.set(database, { count: before.count + executed, milliseconds: before.milliseconds + Number(duration) });
  }
  return found;
}
