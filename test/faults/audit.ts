import { expect } from "vitest";
import { sleep } from "../../src/base/sleep.ts";
import type pg from "pg";
import type { TestDatabase } from "../harness/database.ts";

export type Audit = AsyncDisposable & {
  /** Reads until now. */
  readonly seen: number;
  /** Fails when some read found the target in a state that the source never was in. */
  check(): void;
};

/**
 * Reads a target again and again until disposed: `text` gives one row with a column `state`, in one statement and so in one snapshot, which must
 * always be `expected`.
 */
export function auditor(target: TestDatabase, text: string, expected: string): Audit {
  let [seen, wrong] = [0, null as string | null];
  const end = new AbortController();
  const work = (async () => {
    let client: pg.Client | null = null;
    while (!end.signal.aborted) {
      try {
        client ??= await target.client({ application_name: "audit" });
        const row = (await client.query<{ state: string | null }>(text)).rows[0];
        seen += 1;
        if (row?.state !== expected) wrong ??= row?.state ?? "nothing";
        await sleep(2);
      } catch {
        await client?.end().catch(() => undefined);
        client = null;
        await sleep(20); // a server that was killed is back soon
      }
    }
    await client?.end().catch(() => undefined);
  })();
  return {
    get seen() {
      return seen;
    },
    check: () => expect(wrong, `a reader on the target saw half a transaction, where ${expected} is the rule`).toBeNull(),
    async [Symbol.asyncDispose]() {
      end.abort();
      await work;
    },
  };
}
