import { deltaTable } from "../capture/name.ts";
import type { TableShape } from "../catalog/table.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { quoteLiteral, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { Fetched } from "./fetch.ts";
import { forgetMember, type Member } from "./member.ts";
import type { Relay, TableLink } from "./table-link.ts";

const OURS = /^bucardo_(?:insert|update|delete|key|row|truncate|guard)_(\d+)$/;

export function isOurTrigger(name: string): boolean {
  return OURS.test(name);
}

/**
 * As what a table of the target is captured there: by itself, or as a part of a tree. Our triggers are silent for replicated rows, so a run records
 * their keys itself (ADR 14). Errors: run-void (capture has just begun there), schema-mismatch.
 */
export async function readRelays(target: Session, { triggers, schema, name }: TableShape, key: readonly string[]): Promise<Relay[]> {
  const ids = [...new Set(triggers.flatMap((trigger) => OURS.exec(trigger.name)?.[1] ?? []))].map(Number);
  if (ids.length === 0) return [];
  const rows = await target.query<{ id: number; key_columns: string[]; stamped: boolean }>(
    sql("replicate.relays", "select id, key_columns, stamped from bucardo.captured_table where id = any ($1::int[]) order by id", [ids]),
  );
  const table = displayName({ schema, name });
  if (rows.some(({ stamped }) => !stamped)) {
    forgetMember(target);
    throw new BucardoError("run-void", `${table} has become a source on ${target.name}`, { db: target.name, table });
  }
  const other = rows.find(({ key_columns }) => !key_columns.every((column) => key.includes(column)));
  if (other !== undefined)
    throw new BucardoError(
      "schema-mismatch",
      `${table} is captured on ${target.name} by (${other.key_columns.join(", ")}), and changes of (${key.join(", ")}) arrive there`,
      { db: target.name, table, advice: "Use one key in all syncs over the table: `bucardo update table NAME pkey=...`." },
    );
  return rows.map(({ id, key_columns }) => ({ captured: id, key: key_columns }));
}

/** Column of the stage by the name of the table's column. */
export function stageColumn(link: TableLink, name: string): string {
  return `c${link.columns.findIndex((column) => column.name === name) + 1}`;
}

/** Delta tables that captured tables of the target write to now. */
export async function readGenerations(target: Session, links: readonly TableLink[]): Promise<Map<number, number>> {
  const ids = links.flatMap(({ relays }) => relays.map(({ captured }) => captured));
  if (ids.length === 0) return new Map();
  const rows = await target.query<{ id: number; generation: number }>(
    sql("replicate.relay-generations", "select id, generation from bucardo.captured_table where id = any ($1::int[])", [ids]),
  );
  return new Map(rows.map(({ id, generation }) => [id, generation]));
}

/**
 * Records on the target what was written there, in the transaction that wrote it: who takes changes from it gets these too, except those by whom they
 * came. `back`: tables whose changes the source must get all the same, because it empties them.
 */
export async function tellOn(target: Member, source: string, fetched: readonly Fetched[], back: ReadonlySet<number>): Promise<void> {
  const generations = await readGenerations(
    target.session,
    fetched.map(({ link }) => link),
  );
  for (const { link, stage } of fetched) {
    for (const { captured, key } of stage === null ? [] : link.relays) {
      const delta = quoteName(deltaTable(captured, generations.get(captured) ?? 1));
      const names = key.map((_, index) => `k${index + 1}`).join(", ");
      const columns = key.map((name) => stageColumn(link, name));
      // Where triggers are awake they have recorded the rows already, as if an application had written them.
      if (!target.replica) {
        const same = columns.map((column, index) => `d.k${index + 1} = s.${column}`).join(" and ");
        const text = `delete from ${delta} d using ${stage} s where d.xid = txid_current() and d.via is null and ${same}`;
        await target.session.execute(sql("replicate.forget-own", text));
      }
      const via = back.has(captured) ? "s.via" : `coalesce(s.via, '{}') || ${quoteLiteral(source)}::text`;
      const text = `insert into ${delta} (xid, ${names}, at, via)
  select txid_current(), ${columns.map((column) => `s.${column}`).join(", ")}, coalesce(s.at, clock_timestamp()), ${via} from ${stage} s`;
      await target.session.execute(sql("replicate.tell-on", text));
    }
  }
}
