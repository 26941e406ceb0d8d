import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { interruptible } from "../postgres/cancel.ts";
import { sqlstateOf, toBucardoError } from "../postgres/failure.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

export type RefreshJob = {
  readonly source: Session;
  readonly target: Session;
  /** Only these; default: all. */
  readonly wanted?: (view: QualifiedName) => boolean;
  readonly signal: AbortSignal;
  readonly onView?: (view: QualifiedName, done: number, of: number) => void;
};

/** object_not_in_prerequisite_state: it reads one, through a function maybe, that is not filled yet. */
const NOT_FILLED = "55000";

/**
 * Fills on the target the materialized views that are filled on the source, those that others read first. Their content is computed there, not carried.
 * What reads through functions is not known to the catalog: such a view is tried again after the others. Returns how many.
 */
export async function refreshMaterializedViews(job: RefreshJob): Promise<number> {
  const { target, signal } = job;
  const filled = new Set((await listViews(job.source)).filter((view) => view.filled).map((view) => displayName(view)));
  const views = inOrder(await listViews(target)).filter((view) => filled.has(displayName(view)) && job.wanted?.(view) !== false);
  let left = views;
  let done = 0;
  while (left.length > 0) {
    const later: View[] = [];
    for (const view of left) {
      job.onView?.({ schema: view.schema, name: view.name }, done, views.length);
      const filledNow = await interruptible(signal, target, () => refresh(target, view, left.length > 1));
      if (filledNow) done++;
      else later.push(view);
    }
    // Nobody came further: the next try tells the reason.
    if (later.length === left.length) await refresh(target, later[0]!, false);
    left = later;
  }
  return done;
}

/** False: it reads what is not filled yet, and `patient` asks to hear no more of it now. */
async function refresh(target: Session, view: View, patient: boolean): Promise<boolean> {
  try {
    await target.execute(sql("copy.refresh", `refresh materialized view ${quoteName(view)}`));
    return true;
  } catch (error) {
    if (patient && error instanceof BucardoError && sqlstateOf(error) === NOT_FILLED) return false;
    throw toBucardoError(error, { db: target.name, table: displayName(view) });
  }
}

type View = QualifiedName & { readonly oid: number; readonly filled: boolean; readonly reads: readonly number[] };

/** With those that each reads, views in between included. */
async function listViews(session: Session): Promise<View[]> {
  return session.query<View>(
    sql(
      "copy.materialized-views",
      `with recursive reads (view, oid) as (
         select r.ev_class, d.refobjid
           from pg_rewrite r join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
           join pg_class c on c.oid = d.refobjid
          where r.ev_class <> d.refobjid and c.relkind in ('v', 'm')
       ),
       far (view, oid) as (
         select view, oid from reads
         union
         select f.view, r.oid from far f join reads r on r.view = f.oid
       )
       select c.oid, n.nspname::text as schema, c.relname::text as name, c.relispopulated as filled,
              (select coalesce(json_agg(f.oid::int8), '[]') from far f join pg_class x on x.oid = f.oid and x.relkind = 'm' where f.view = c.oid) as reads
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'm' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        order by n.nspname, c.relname`,
    ),
  );
}

/** Each after all that it reads. Views cannot read each other in a circle. Pure. */
export function inOrder<Of extends Pick<View, "oid" | "reads">>(views: readonly Of[]): Of[] {
  const byOid = new Map(views.map((view) => [view.oid, view]));
  const ordered = new Set<Of>();
  const add = (view: Of): void => {
    if (ordered.has(view)) return;
    for (const oid of view.reads) if (oid !== view.oid && byOid.has(oid)) add(byOid.get(oid)!);
    ordered.add(view);
  };
  for (const view of views) add(view);
  return [...ordered];
}
