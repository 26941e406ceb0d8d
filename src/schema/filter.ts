import { matchRelations, readCandidates } from "../catalog/find.ts";
import type { Problem } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { CLASS, factKey } from "./facts.ts";
import { describeObject, type SchemaObject } from "./object.ts";

/** As of `catalog/find.ts`; empty `only`: everything. */
export type SchemaPatterns = { readonly only: readonly string[]; readonly skip: readonly string[] };

/**
 * The objects without the tables that stay behind and all that cannot be without them: what is part of them, views over them, foreign keys to them. Types,
 * functions and schemas come along. What is left out of something that comes is told; a table that cannot come is an error.
 */
export async function filterObjects(
  session: Session,
  objects: readonly SchemaObject[],
  patterns: SchemaPatterns,
): Promise<{ objects: SchemaObject[]; notes: Problem[] }> {
  const left = await leftBehind(session, patterns);
  if (left.size === 0) return { objects: [...objects], notes: [] };
  const gone = await dependents(session, [...left]);
  const stay = new Set([...left].map((oid) => factKey({ classId: CLASS.relation, oid })));
  const tables = new Set(objects.filter((object) => stay.has(factKey(object))).map(({ of }) => (of === null ? "" : displayName(of))));
  const isPart = (object: SchemaObject) => object.of !== null && tables.has(displayName(object.of));
  const isGone = (object: SchemaObject) => isPart(object) || (object.oid !== 0 && gone.has(factKey(object)));
  const notes = objects
    .filter((object) => isGone(object) && !quiet.has(object.stage) && !isPart(object))
    .map((object): Problem => noteOf(object, session.name));
  return { objects: objects.filter((object) => !isGone(object)), notes };
}

/** They go with what they belong to. */
const quiet = new Set(["comment", "grant", "validate"]);

function noteOf(object: SchemaObject, db: string): Problem {
  return {
    grade: object.kind === "TABLE" ? "error" : "warning",
    db,
    what: `${describeObject(object)} is left out: it needs a table that stays behind`,
    remedy: "Let that table come too, or leave this one behind.",
  };
}

/** Oids of relations that stay behind; a sequence only when no table that comes uses it. */
export async function leftBehind(session: Session, { only, skip }: SchemaPatterns): Promise<Set<number>> {
  if (only.length === 0 && skip.length === 0) return new Set();
  const candidates = (await readCandidates(session)).filter((candidate) => !candidate.partition);
  const { found } = matchRelations(candidates, only.length === 0 ? ["*"] : only, { excludeTables: skip });
  const coming = new Set(found.map(displayName));
  const rows = await session.query<{ schema: string; name: string; oid: number; kind: string; root: number; users: number[] }>(
    relationsStatement,
  );
  const comes = new Set(rows.filter((row) => coming.has(displayName(row))).map(({ oid }) => oid));
  const tables = rows.filter((row) => row.kind !== "S" && !comes.has(row.root)).map(({ oid }) => oid);
  const behind = new Set(tables);
  const sequences = rows.filter((row) => row.kind === "S" && !comes.has(row.oid) && row.users.every((oid) => behind.has(oid)));
  return new Set([...tables, ...sequences.map(({ oid }) => oid)]);
}

/** Tables with the root of their tree, sequences with the tables that own or use them. */
const relationsStatement = sql(
  "schema.relations",
  `with recursive tree (oid, root) as (
     select c.oid, c.oid from pg_catalog.pg_class c where c.relkind in ('r', 'p', 'S') and not c.relispartition
     union all
     select i.inhrelid, t.root from tree t join pg_catalog.pg_inherits i on i.inhparent = t.oid
       join pg_catalog.pg_class c on c.oid = i.inhrelid and c.relispartition)
   select n.nspname::text as schema, c.relname::text as name, c.oid, c.relkind::text as kind, t.root,
          array(select d.refobjid from pg_catalog.pg_depend d
                 where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
                   and d.deptype in ('a', 'i') and c.relkind = 'S'
                 union select f.adrelid from pg_catalog.pg_depend d join pg_catalog.pg_attrdef f on f.oid = d.objid
                 where d.classid = 'pg_catalog.pg_attrdef'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = c.oid and c.relkind = 'S') as users
     from tree t
     join pg_catalog.pg_class c on c.oid = t.oid
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname not in ('information_schema', 'bucardo') and n.nspname !~ '^pg_' and c.relpersistence <> 't'`,
);

/** Everything that depends on the relations, them included, by `factKey`. A view depends by its rule. */
async function dependents(session: Session, relations: readonly number[]): Promise<Set<string>> {
  const rows = await session.query<{ classId: number; oid: number }>(
    sql(
      "schema.dependents",
      `with recursive gone (classid, objid) as (
         select ${CLASS.relation}::oid, o from pg_catalog.unnest($1::oid[]) o
         union
         select x.classid, x.objid
           from gone g cross join lateral (
             select d.classid, d.objid from pg_catalog.pg_depend d where d.refclassid = g.classid and d.refobjid = g.objid and d.deptype <> 'e'
             union all
             select ${CLASS.relation}, w.ev_class from pg_catalog.pg_rewrite w where g.classid = ${CLASS.rule} and w.oid = g.objid and w.rulename = '_RETURN'
           ) x)
       select classid::int as "classId", objid as oid from gone`,
      [relations],
    ),
  );
  return new Set(rows.map(factKey));
}
