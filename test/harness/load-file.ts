import type pg from "pg";
import type { TestDatabase } from "./database.ts";

type Wire = { query(text: string): void; sendCopyFromChunk(bytes: Buffer): void; endCopyFrom(): void };

/**
 * Stands in for `psql -f`: reads a file of SQL with `copy .. from stdin` and its rows in it, on a connection of its own; the first error is thrown.
 * `before`: a statement that goes first.
 */
export async function loadFile(database: TestDatabase, text: string, before = ""): Promise<void> {
  const client = await database.client({ application_name: "loadFile" });
  try {
    await client.query(before);
    const lines = text.split("\n");
    let statements: string[] = [];
    const send = async (): Promise<void> => {
      await client.query(statements.join("\n"));
      statements = [];
    };
    for (let at = 0; at < lines.length; at++) {
      const line = lines[at]!;
      if (line.startsWith("\\set ")) continue;
      if (!/^copy .* from stdin;$/.test(line)) {
        statements.push(line);
        continue;
      }
      await send();
      const end = lines.indexOf("\\.", at);
      const rows = lines.slice(at + 1, end).map((row) => `${row}\n`);
      await copyIn(client, line, Buffer.from(rows.join("")));
      at = end;
    }
    await send();
  } finally {
    await client.end();
  }
}

function copyIn(client: pg.Client, text: string, rows: Buffer): Promise<void> {
  const nothing = (): void => undefined;
  return new Promise((resolve, reject) => {
    client.query({
      submit: (wire: Wire) => {
        wire.query(text);
        return null;
      },
      handleCopyInResponse: (wire: Wire) => {
        wire.sendCopyFromChunk(rows);
        wire.endCopyFrom();
      },
      handleError: reject,
      handleReadyForQuery: () => resolve(),
      handleCommandComplete: nothing,
      handleRowDescription: nothing,
      handleDataRow: nothing,
      handleEmptyQuery: nothing,
      handlePortalSuspended: nothing,
      handleCopyData: nothing,
    } as never);
  });
}
