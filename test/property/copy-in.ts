import type pg from "pg";

type Wire = { query(text: string): void; sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void };

/** COPY .. FROM STDIN on a client of `pg`; `rows` as text values, null for NULL. */
export function copyIn(client: pg.Client, text: string, rows: readonly (readonly (string | null)[])[]): Promise<void> {
  const lines = rows.map((row) => `${row.map((value) => (value === null ? "\\N" : escaped(value))).join("\t")}\n`).join("");
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    const query = {
      submit: (wire: Wire) => wire.query(text),
      handleCopyInResponse: (wire: Wire) => {
        wire.sendCopyFromChunk(Buffer.from(lines));
        wire.endCopyFrom();
      },
      handleError: (error: Error) => {
        failure = error;
        reject(error);
      },
      handleCommandComplete: () => undefined,
      handleReadyForQuery: () => (failure === undefined ? resolve() : undefined),
    };
    client.query(query as unknown as pg.Submittable);
  });
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\t", "\\t").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
}
