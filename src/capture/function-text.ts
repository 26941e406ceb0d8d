import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { KeyColumn } from "./key-column.ts";
import { type CaptureEvent, deltaTable, functionName, LOCK_ASLEEP, LOCK_CLASS, triggerName, WAKE_CHANNEL } from "./name.ts";
import type { Part, Variant } from "./tree.ts";

/** All that the SQL of one captured table depends on. */
export type Captured = {
  readonly id: number;
  readonly generation: number;
  readonly variant: Variant;
  readonly notify: boolean;
  /** Its delta tables tell when and by which databases a change came (sql/capture/0002). */
  readonly stamped: boolean;
  readonly key: readonly KeyColumn[];
};

/** Names that no column and no table of a user can have got by accident: a column called like a transition table would hide it. */
const NEW_ROWS = `"_bucardo_new"`;
const OLD_ROWS = `"_bucardo_old"`;

/** No NOT NULL on the keys: should a key lose its own, the sync says so, and not the writers. */
export function deltaTableText(captured: Captured): string {
  const columns = captured.key.map((column, index) => `k${index + 1} ${column.type}${column.collate}`);
  return `create table ${quoteName(deltaTable(captured.id, captured.generation))} (xid bigint not null, ${columns.join(", ")}${captured.stamped ? `, ${STAMPS}` : ""})`;
}

/** Behind all others, and filled by themselves: the trigger functions do not name them. */
const STAMPS = "at timestamptz default pg_catalog.clock_timestamp(), via text[]";

export function eventsOf(variant: Variant): readonly CaptureEvent[] {
  if (variant === "row") return ["row", "truncate", "guard"];
  return variant === "tree" ? ["insert", "update", "delete", "truncate", "guard"] : ["insert", "update", "delete", "truncate", "key"];
}

/**
 * The trigger functions. SECURITY DEFINER, so that a writer needs no right on the delta table; EXECUTE revoked in the same transaction, no operator on user
 * types, and nothing that the writer's search_path could lead elsewhere (hazard 16). A fixed search_path would be a second fence, but setting and
 * resetting it takes a third of what capture costs; only the row variant has one, because IS DISTINCT FROM finds its operators by it.
 * Columns of transition tables stand without the table's name: `n.id` means the function id(record) when there is no such column any more, whoever made it.
 * txid_current() stands inside the SELECT: a statement without rows gets no transaction id.
 */
export function functionText(captured: Captured, event: CaptureEvent): string {
  const name = quoteName(functionName(captured.id, event));
  // A key column may be called like a variable of plpgsql.
  const source = `\n#variable_conflict use_column\nbegin\n${body(captured, event)}\n  return null;\nend\n`;
  const quote = dollarQuote(source);
  const path = captured.variant === "row" ? " set search_path = pg_catalog, pg_temp" : "";
  return `create or replace function ${name}() returns trigger language plpgsql security definer${path} as ${quote}${source}${quote};
revoke execute on function ${name}() from public;`;
}

/** Readable as the usual one, and never part of the text: a column may be called $bucardo$. */
function dollarQuote(text: string): string {
  let tag = "bucardo";
  while (text.includes(`$${tag}$`)) tag += "_";
  return `$${tag}$`;
}

function body(captured: Captured, event: CaptureEvent): string {
  const delta = quoteName(deltaTable(captured.id, captured.generation));
  const keyOf = (row: string) => captured.key.map((column) => `${row}.${quoteIdent(column.name)}`).join(", ");
  const keys = captured.key.map((column) => quoteIdent(column.name)).join(", ");
  const keysIn = (rows: string) => `select pg_catalog.txid_current(), ${keys} from ${rows}`;
  const wake = captured.notify ? `\n${wakeText()}` : "";
  switch (event) {
    case "insert":
      return `  insert into ${delta} ${keysIn(NEW_ROWS)};${wake}`;
    case "delete":
      return `  insert into ${delta} ${keysIn(OLD_ROWS)};${wake}`;
    case "update":
      // A row that moves to another leaf fires neither the leaf's row triggers with WHEN nor the root's DELETE trigger: only both
      // transition tables together see its old key (hazard 19).
      return captured.variant === "tree"
        ? `  insert into ${delta} ${keysIn(NEW_ROWS)}
    union ${keysIn(OLD_ROWS)};${wake}`
        : `  insert into ${delta} ${keysIn(NEW_ROWS)};${wake}`;
    case "key":
      return `  insert into ${delta} values (pg_catalog.txid_current(), ${keyOf("old")});`;
    case "row":
      return `  if tg_op <> 'INSERT' then insert into ${delta} values (pg_catalog.txid_current(), ${keyOf("old")}); end if;
  if tg_op = 'INSERT' then insert into ${delta} values (pg_catalog.txid_current(), ${keyOf("new")});
  elsif tg_op = 'UPDATE' and (${keyChanged(captured.key)}) then insert into ${delta} values (pg_catalog.txid_current(), ${keyOf("new")}); end if;${captured.notify ? `\n${wakeText("true")}` : ""}`;
    case "guard":
      return "  -- Nothing: that this trigger names the key's columns keeps their type as it is in the delta tables.";
    case "truncate":
      return `  insert into bucardo.truncation (xid, captured_table, leaf) values (pg_catalog.txid_current(), ${captured.id}, tg_relid);${wake}`;
  }
}

/**
 * NOTIFY only while a daemon sleeps: an unconditional one halves a busy source, because it serializes commits (datapath, section 4). The sleeping
 * daemon holds the lock exclusive, so that our try fails. When it succeeds we hold the lock until the transaction ends, and the daemon cannot go to
 * sleep before: what we did not announce it sees in its last look (hazard 18). Never where prepared transactions are possible: NOTIFY makes PREPARE
 * fail (hazard 17).
 */
function wakeText(condition = "found"): string {
  return `  if ${condition} and pg_catalog.current_setting('max_prepared_transactions') operator(pg_catalog.=) '0'
     and not pg_catalog.pg_try_advisory_xact_lock_shared(${LOCK_CLASS}, ${LOCK_ASLEEP}) then
    perform pg_catalog.pg_notify('${WAKE_CHANNEL}', 'changed');
  end if;`;
}

/** Keys are compared by image where equality is wider than sameness, so that 'a' -> 'A' of a citext key is a change (hazard 29). */
function keyChanged(key: readonly KeyColumn[]): string {
  return key
    .map(({ name, cast, equalMeansSame }) => {
      const column = quoteIdent(name);
      return equalMeansSame
        ? `old.${column}${cast} is distinct from new.${column}${cast}`
        : `old.${column}::text collate "C" is distinct from new.${column}::text collate "C"`;
    })
    .join(" or ");
}

/**
 * The triggers of one part of a captured table, in the order they are made. `execute procedure` is understood by 10 to 18. The root, where its
 * triggers name no column, has a guard: without it ALTER TYPE of a key column would go through, and the trigger functions fail for every writer.
 * The server reads a WHEN anew in each statement, which is a quarter of what capture costs a small one: so it is only asked where the statement names
 * a column of the key, unless the key can change without that (`unnamed`).
 */
export function triggerTexts(captured: Captured, part: Part, isRoot: boolean, unnamed: boolean): string[] {
  const table = quoteName(part);
  const call = (event: CaptureEvent) => `execute procedure ${quoteName(functionName(captured.id, event))}()`;
  const make = (event: CaptureEvent, when: string) => `create trigger ${triggerName(captured.id, event)} ${when} ${call(event)}`;
  const truncate = make("truncate", `after truncate on ${table} for each statement`);
  const columns = captured.key.map((column) => quoteIdent(column.name)).join(", ");
  const guard = isRoot ? [make("guard", `after update of ${columns} on ${table} for each statement`)] : [];
  if (captured.variant === "row") {
    const row = make("row", `after insert or update or delete on ${table} for each row`);
    return [...(part.holdsRows ? [row] : []), truncate, ...guard];
  }
  const transition = captured.variant === "tree" ? `old table as ${OLD_ROWS} new table as ${NEW_ROWS}` : `new table as ${NEW_ROWS}`;
  const statements = [
    make("insert", `after insert on ${table} referencing new table as ${NEW_ROWS} for each statement`),
    make("update", `after update on ${table} referencing ${transition} for each statement`),
    make("delete", `after delete on ${table} referencing old table as ${OLD_ROWS} for each statement`),
    truncate,
  ];
  if (captured.variant === "tree") return [...statements, ...guard];
  return [
    ...statements,
    make("key", `after update${unnamed ? "" : ` of ${columns}`} on ${table} for each row when (${keyChanged(captured.key)})`),
  ];
}
