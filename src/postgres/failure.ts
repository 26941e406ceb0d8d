import pg from "pg";
import { BucardoError } from "../model/error.ts";
import type { ErrorCode } from "../model/error-catalogue.ts";
import type { Parameters } from "./parameters.ts";

export type FailureContext = { readonly db?: string; readonly table?: string; readonly sync?: string };

/** From SQLSTATE to our code: the whole state, else its class (first two characters), else internal. */
const bySqlstate: Readonly<Record<string, ErrorCode>> = {
  "08": "connection-lost",
  "21": "data-rejected", // two rows of the source have one key on the target
  "22": "data-rejected",
  "22021": "encoding", // bytes are not valid in the encoding
  "22P05": "encoding", // no such character in the target's encoding
  "22P04": "schema-mismatch", // COPY data of another shape
  "23": "data-rejected",
  "25006": "server-not-ready", // read-only transaction: a standby, or a primary that was demoted
  "25P03": "connection-lost", // idle_in_transaction_session_timeout
  "25P04": "connection-lost", // transaction_timeout
  "28": "authentication-failed",
  "3D000": "connection-failed",
  "40": "serialization",
  "42501": "permission-denied",
  "42": "schema-mismatch",
  "42601": "internal", // a syntax error is ours
  "44000": "data-rejected", // WITH CHECK OPTION
  "53": "server-not-ready",
  "53100": "disk-full",
  "53300": "too-many-connections",
  "54": "data-rejected", // program_limit_exceeded: index row too large, too many columns
  "55006": "lock-timeout", // object in use
  "55P03": "lock-timeout",
  "57014": "interrupted",
  "57P01": "connection-lost",
  "57P02": "connection-lost",
  "57P03": "server-not-ready",
  "57P04": "connection-lost",
  "57P05": "connection-lost",
  "58": "server-not-ready",
  "72": "serialization", // snapshot too old (old_snapshot_threshold, up to 16): a younger one will do
  "58030": "server-not-ready",
  "2F": "data-rejected", // functions in somebody's trigger or constraint
  "38": "data-rejected",
  "39": "data-rejected",
  "3F": "schema-mismatch",
  P0: "data-rejected", // RAISE in somebody's trigger
  XX001: "server-not-ready", // corrupted data or index
  XX002: "server-not-ready",
};

const lostCodes = new Set([
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ECONNABORTED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "ERR_STREAM_DESTROYED",
]);

export function codeOfSqlstate(sqlstate: string): ErrorCode {
  return bySqlstate[sqlstate] ?? bySqlstate[sqlstate.slice(0, 2)] ?? "internal";
}

/** SQLSTATE of an error of the server, wrapped by us or not; null when it is none. */
export function sqlstateOf(error: unknown): string | null {
  if (error instanceof BucardoError) return error.details.sqlstate ?? null;
  return error instanceof pg.DatabaseError ? (error.code ?? null) : null;
}

/** The constraint or unique index that refused a row, and its table, which may be a part of the one written to; null when none did. */
export function constraintOf(error: unknown): { readonly schema: string; readonly table: string; readonly name: string } | null {
  const cause = error instanceof BucardoError ? error.details.cause : error;
  if (cause instanceof BucardoError) return constraintOf(cause);
  if (!(cause instanceof pg.DatabaseError)) return null;
  const { schema, table, constraint } = cause;
  return schema && table && constraint ? { schema, table, name: constraint } : null;
}

/**
 * Any error of the driver as one of the catalogue. The server's primary message stays, its DETAIL, HINT and CONTEXT are dropped
 * (they quote rows), and so is the message itself where it does (data exceptions). The error of the driver is the cause.
 */
export function toBucardoError(error: unknown, context: FailureContext = {}): BucardoError {
  if (error instanceof BucardoError) return withContext(error, context);
  if (error instanceof pg.DatabaseError && error.code) return fromServer(error, error.code, context);
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code !== undefined && lostCodes.has(code)) {
    return new BucardoError("connection-lost", `${prefix(context)}connection lost (${code})`, { ...context, cause: error });
  }
  return new BucardoError("internal", `${prefix(context)}${error instanceof Error ? error.message : String(error)}`, {
    ...context,
    cause: error,
  });
}

/** What a signal's reason becomes: our own errors stay, all else is `interrupted`. */
export function interruption(reason: unknown, context: FailureContext = {}): BucardoError {
  if (reason instanceof BucardoError) return withContext(reason, context);
  return new BucardoError("interrupted", `${prefix(context)}interrupted`, { ...context, cause: reason });
}

/** `host:port`, or the Unix socket. */
export function describePlace({ host, hostaddr, port }: Pick<Parameters, "host" | "hostaddr" | "port">): string {
  if (host.startsWith("/")) return `${host}/.s.PGSQL.${port}`;
  const name = hostaddr === null || hostaddr === host ? host : `${host} (${hostaddr})`;
  return name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
}

function fromServer(error: InstanceType<typeof pg.DatabaseError>, sqlstate: string, context: FailureContext): BucardoError {
  const table = context.table ?? (error.table ? `${error.schema ? `${error.schema}.` : ""}${error.table}` : undefined);
  const names = [
    error.constraint && `constraint "${error.constraint}"`,
    error.column && `column "${error.column}"`,
    error.dataType && `type "${error.dataType}"`,
  ];
  const where = [table && `table ${table}`, ...names].filter((part) => part && !error.message.includes(part)).join(", ");
  const message = `${prefix(context)}${spoken(error, sqlstate)}${where === "" ? "" : ` (${where})`}`;
  const { db, sync } = context;
  const code = codeOfSqlstate(sqlstate);
  return new BucardoError(code === "internal" && isRaised(error) ? "data-rejected" : code, message, {
    ...(db !== undefined && { db }),
    ...(sync !== undefined && { sync }),
    ...(table !== undefined && { table }),
    sqlstate,
    ...(isRaised(error) && {
      advice:
        "Its text may hold values of rows, so it stands only in the server's log. Mend the row, the trigger or the constraint; then `bucardo kick SYNC`.",
    }),
    cause: error,
  });
}

/** Raised by somebody's function, whatever SQLSTATE it chose. The name is that of a C function of the server, not a text. */
function isRaised(error: InstanceType<typeof pg.DatabaseError>): boolean {
  return error.routine === "exec_stmt_raise" || error.code === "P0001";
}

/**
 * The primary message without what it may tell of a row: messages of class 22 quote the value at their end
 * (`invalid input syntax for type integer: "4711 Main St"`), and an exception of somebody's function says whatever it likes.
 */
function spoken(error: InstanceType<typeof pg.DatabaseError>, sqlstate: string): string {
  if (isRaised(error)) return "a function on the server raised an exception";
  // Those of encodings quote their names, and the bytes of the value in hexadecimal.
  if (codeOfSqlstate(sqlstate) === "encoding") return error.message.replaceAll(/:?( 0x[0-9a-f]{2})+/gi, "");
  return sqlstate.startsWith("22") ? error.message.replace(/: ".*/s, "").replace(/"[^"]*"/g, '"..."') : error.message;
}

function withContext(error: BucardoError, context: FailureContext): BucardoError {
  const missing = Object.entries(context).filter(
    ([name, value]) => value !== undefined && error.details[name as keyof FailureContext] === undefined,
  );
  if (missing.length === 0) return error;
  const wrapped = new BucardoError(error.code, error.message, { ...error.details, ...Object.fromEntries(missing) });
  if (error.stack) wrapped.stack = error.stack;
  return wrapped;
}

function prefix({ db }: FailureContext): string {
  return db === undefined ? "" : `database "${db}": `;
}
