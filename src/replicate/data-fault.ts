import { BucardoError, type ErrorDetails } from "../model/error.ts";
import { toBucardoError } from "../postgres/failure.ts";

export type DataFault = BucardoError & { readonly details: ErrorDetails & { readonly table: string } };

/** A row that the target refuses, whoever asks and however often: not a lost connection, a lock or a missing column. */
export function isDataFault(error: unknown): error is DataFault {
  return (
    error instanceof BucardoError && (error.code === "data-rejected" || error.code === "encoding") && error.details.table !== undefined
  );
}

/** The error with the table that the run wrote to: the server names the part of it. */
export function inTable(error: unknown, table: string): BucardoError {
  const known = toBucardoError(error, { table });
  return known.details.table === table ? known : new BucardoError(known.code, known.message, { ...known.details, table, cause: known });
}

/** The longest text of a key in an error. */
const LONGEST_KEY = 200;

/** `id=42, part=a`. It is a value of a user's row: for a terminal and the history of runs, never for a log. */
export function keyText(columns: readonly string[], key: readonly string[]): string {
  const text = columns.map((column, index) => `${column}=${key[index] ?? ""}`).join(", ");
  return text.length <= LONGEST_KEY ? text : `${text.slice(0, LONGEST_KEY)}...`;
}

export type FaultPlace = {
  readonly db: string;
  readonly table: string;
  readonly sync: string;
  /** Null: it could not be read. */
  readonly key: string | null;
  /** Where it is known and the server does not name it. */
  readonly column: string | null;
};

/** The server's refusal, with the row's key and what to do about it. */
export function faultError(error: BucardoError, { db, table, sync, key, column }: FaultPlace): BucardoError {
  const { sqlstate, advice } = error.details;
  const message = column === null || error.message.includes(`"${column}"`) ? error.message : `${error.message} (column "${column}")`;
  return new BucardoError(error.code, message, {
    ...error.details,
    db,
    table,
    sync,
    ...(key !== null && { key }),
    advice: advice ?? adviceOn(sqlstate ?? "", { db, table, sync }),
    cause: error,
  });
}

type Place = Pick<FaultPlace, "db" | "table" | "sync">;

/** What mends a fault of this kind; the classes are those of the documentation of PostgreSQL. */
export function adviceOn(sqlstate: string, { db, table, sync }: Place): string {
  const go = `Then \`bucardo kick ${sync}\`, or wait: it is tried again by itself. \`bucardo update sync ${sync} on_error=set_aside\` sets such rows aside and goes on.`;
  switch (sqlstate) {
    case "23505":
    case "23P01":
      return `Another row of ${table} on ${db} stands in the way: delete it there if the source does not have it (on_error=overwrite does that), or drop the constraint if the source lacks it. ${go}`;
    case "23502":
      return `Give the row a value on the source, or on ${db}: alter table ${table} alter column ... drop not null. ${go}`;
    case "23514":
    case "44000":
      return `Mend the row on the source, or make the CHECK of ${db} that of the source. ${go}`;
    case "23503":
      return `The row refers to one that ${db} does not have, or is referred to there: put both tables into one sync, or mend the rows on ${db}. ${go}`;
    case "22001":
      return `Make the column on ${db} as wide as on the source: alter table ${table} alter column ... type ... ${go}`;
    default:
      return `Make the column or constraint on ${db} accept what the source holds, or mend the row on the source. ${go}`;
  }
}
