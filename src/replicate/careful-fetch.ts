import { displayName } from "../model/name.ts";
import { copyBetween } from "../postgres/copy.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import { quoteIdent } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { Careful } from "./careful.ts";
import { refuseRow } from "./careful-row.ts";
import { hasCommitTimes } from "./commit-time.ts";
import { inTable, isDataFault } from "./data-fault.ts";
import type { Fetched, FetchJob } from "./fetch.ts";
import { fetchText } from "./fetch-text.ts";
import { failureOf, oneRow, sift } from "./sift.ts";
import { ensureStage, stampsOf } from "./stage.ts";
import type { TableLink } from "./table-link.ts";

type Raw = {
  readonly table: string;
  readonly stage: string;
  /** Stage column by stage column: what makes its value of the raw one. */
  readonly values: readonly string[];
};

/**
 * Streams the rows of one plan to the target as bytes that any column takes, and makes values of them there, so that a row that cannot become one of
 * the target's is found by itself: COPY into the stage would only say that there is one. Rows that are refused do not reach the stage.
 */
export async function fetchCarefully(job: FetchJob, careful: Careful): Promise<Fetched> {
  const { source, target, plan, link, onBytes } = job;
  const table = displayName(link.name);
  try {
    const stage = await ensureStage(target, plan.table.captured, link);
    const raw = await makeRaw(source, target.session, plan.table.captured, link, stage);
    const { rows, bytes } = await copyBetween({
      from: source,
      signal: careful.signal,
      onBytes,
      fromText: sql("replicate.fetch", fetchText(plan, { ...link, binary: false }, bytesText(source), await hasCommitTimes(source, link))),
      to: target.session,
      toText: sql("replicate.fill-raw", `copy ${raw.table} from stdin`),
    });
    await sift({
      session: target.session,
      rows: raw.table,
      text: (part) => `insert into ${stage} select s.gone, ${raw.values.join(", ")} from ${part} s`,
      isFault: (error) => isDataFault(inTable(error, table)),
      onFault: async (ctid, error) => {
        const key = await readKey(target.session, raw, link, ctid);
        const column = await findColumn(target.session, raw, link, ctid, error);
        return refuseRow({ target, link, captured: plan.table.captured, careful, error, key, column, held: plan.table.setAside });
      },
      signal: careful.signal,
    });
    return { plan, link, stage, fill: null, rows, bytes };
  } catch (error) {
    throw inTable(error, table);
  }
}

async function makeRaw(source: Session, target: Session, captured: number, link: TableLink, stage: string): Promise<Raw> {
  const table = `pg_temp.${quoteIdent(`bucardo_raw_${captured}`)}`;
  const columns = link.columns.map((_, index) => `c${index + 1} bytea`);
  // They are ours, so they always become values.
  const stamps = stampsOf(link);
  await target.script(
    sql(
      "replicate.raw",
      `create temp table ${table.slice("pg_temp.".length)} (gone boolean, ${[...columns, ...stamps.map(({ name, type }) => `${name} ${type}`)].join(", ")}) on commit drop`,
    ),
  );
  // By name, a type has no length: an explicit cast to varchar(4) would cut the value, and what was to be refused would be written.
  const types = await target.query<{ type: string }>(
    sql(
      "replicate.stage-types",
      `select format('%I.%I', n.nspname, t.typname) as type
         from pg_attribute a join pg_type t on t.oid = a.atttypid join pg_namespace n on n.oid = t.typnamespace
        where a.attrelid = $1::regclass and a.attnum between 2 and 1 + $2::int order by a.attnum`,
      [stage, columns.length],
    ),
  );
  const encoding = isRaw(source) ? target.serverEncoding : "UTF8";
  const values = types.map(({ type }, index) => `convert_from(s.c${index + 1}, '${encoding}')::${type}`);
  return { table, stage, values: [...values, ...stamps.map(({ name }) => `s.${name}`)] };
}

/** The text of a value as bytes, whatever the encodings of both sides: what the target cannot write down is found there, row by row. */
function bytesText(source: Session): (value: string) => string {
  const encoding = isRaw(source) ? "SQL_ASCII" : "UTF8";
  // As the type's output function gives it; a cast to text is another thing for some (character(n) loses its blanks).
  return (value) => `case when num_nulls(${value}) = 0 then convert_to(format('%s', ${value}), '${encoding}') end`;
}

function isRaw(source: Session): boolean {
  return source.serverEncoding === "SQL_ASCII";
}

async function readKey(target: Session, raw: Raw, link: TableLink, ctid: string): Promise<string[]> {
  const columns = link.source.key.map((_, position) => link.columns.findIndex((column) => column.keyPosition === position));
  const { key } = await target.one<{ key: string[] }>(
    sql(
      "replicate.raw-key",
      `select array[${columns.map((index) => `encode(s.c${index + 1}, 'hex')`).join(", ")}] as key from ${oneRow(raw.table, ctid)} s`,
    ),
  );
  return key.map((hex) => Buffer.from(hex, "hex").toString("utf8"));
}

/** Which of its columns is at fault: the first that by itself gives the same error. */
async function findColumn(target: Session, raw: Raw, link: TableLink, ctid: string, error: unknown): Promise<string | null> {
  for (const [index, column] of link.columns.entries()) {
    const text = `insert into ${raw.stage} (c${index + 1}) select ${raw.values[index] ?? ""} from ${oneRow(raw.table, ctid)} s`;
    const failure = await failureOf(target, text);
    if (failure !== null && sqlstateOf(failure) === sqlstateOf(error)) return column.name;
  }
  return null;
}
