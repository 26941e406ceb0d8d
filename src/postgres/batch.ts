import pg from "pg";
import type { Statement } from "./sql.ts";
import { exactTypes, valueTypes } from "./values.ts";

/** Rows of a statement, and how many it gave or changed. */
export type Answer = { readonly rows: readonly object[]; readonly count: number };

const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);

/** The parts of the driver that its types do not show. */
type Wire = { readonly stream: { cork(): void; uncork(): void; write(bytes: Buffer): void }; sync(): void };
type Query = {
  submit(connection: Wire): Error | null;
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: Wire): void;
  handleReadyForQuery(connection: Wire): void;
};

/**
 * Statements that go to the server together and are answered together: one round trip. After an error the server skips the rest; outside of a
 * transaction they are one. `nameOf`: under which name the session keeps the statement prepared; null: not at all. Errors: of the driver.
 */
export function runBatch(
  client: pg.Client,
  statements: readonly Statement[],
  nameOf: (statement: Statement) => string | null,
): Promise<Answer[]> {
  return new Promise((resolve, reject) => {
    client.query(submittable(statements, nameOf, resolve, reject) as never);
  });
}

/** What the driver takes for one query: it hands the answers to its own queries in turn, which share one Sync. */
function submittable(
  statements: readonly Statement[],
  nameOf: (statement: Statement) => string | null,
  resolve: (answers: Answer[]) => void,
  reject: (error: unknown) => void,
) {
  const answers: Answer[] = [];
  const queries = statements.map((statement) => collector(statement, nameOf(statement), (answer) => answers.push(answer), reject));
  let quiet: Wire;
  let at = 0;
  return {
    submit: (connection: Wire) => {
      quiet = Object.create(connection, { sync: { value: () => undefined } }) as Wire;
      connection.stream.cork();
      for (const [index, query] of queries.entries()) {
        query.submit(quiet);
        const { copyIn } = statements[index]!;
        // Right behind the COPY: a server that refuses it skips this like the rest.
        for (const bytes of copyIn === undefined ? [] : [...copyIn, COPY_DONE]) connection.stream.write(bytes);
      }
      connection.sync();
      connection.stream.uncork();
      return null;
    },
    handleRowDescription: (message: unknown) => queries[at]!.handleRowDescription(message),
    handleDataRow: (message: unknown) => queries[at]!.handleDataRow(message),
    handleCommandComplete: (message: unknown) => queries[at++]!.handleCommandComplete(message, quiet),
    handleEmptyQuery: () => at++,
    handleReadyForQuery: (connection: Wire) => {
      for (const query of queries) query.handleReadyForQuery(connection);
      resolve(answers);
    },
    handleError: reject,
    handlePortalSuspended: () => undefined,
    handleCopyInResponse: () => {
      if (statements[at]!.copyIn === undefined) reject(new Error("COPY without rows in a batch"));
    },
    handleCopyData: () => undefined,
  };
}

function collector(statement: Statement, name: string | null, resolve: (answer: Answer) => void, reject: (error: unknown) => void): Query {
  const config = {
    text: statement.text,
    values: [...(statement.values ?? [])],
    types: statement.exact ? exactTypes : valueTypes,
    queryMode: "extended",
    ...(name !== null && { name }),
  };
  const done = (error: Error | null, result: pg.QueryResult<object>) =>
    error ? reject(error) : resolve({ rows: result.rows, count: result.rowCount ?? 0 });
  return new pg.Query(config as never, undefined, done as never) as unknown as Query;
}
