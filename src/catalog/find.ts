import { displayName, type QualifiedName } from "../model/name.ts";
import type { RelationKind } from "../model/sync.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { nearest } from "./nearest.ts";

/** A table or sequence that can be replicated. */
export type Candidate = QualifiedName & {
  readonly kind: RelationKind;
  /** A partition: only found by its own name, as its root stands for it. */
  readonly partition: boolean;
  /** PRIMARY KEY, or a unique index that can name rows by itself. */
  readonly keyed: boolean;
};

export type FindFilters = {
  readonly kind?: RelationKind;
  /** Only these schemas; `*` and `%` are wildcards here and below. */
  readonly schemas?: readonly string[];
  readonly excludeSchemas?: readonly string[];
  readonly tables?: readonly string[];
  readonly excludeTables?: readonly string[];
  /** Only tables with a PRIMARY KEY or a usable unique index. */
  readonly pkonly?: boolean;
};

export type FoundRelations = {
  /** Sorted by schema and name, each once. */
  readonly found: readonly Candidate[];
  /** Patterns that matched nothing, with the name that may have been meant. */
  readonly unmatched: readonly { readonly pattern: string; readonly nearest: string | null }[];
};

/** Tables and sequences of the database that match any of the patterns (`accounts`, `sales.*`, `%_log`) and pass the filters. */
export async function findRelations(session: Session, patterns: readonly string[], filters: FindFilters = {}): Promise<FoundRelations> {
  return matchRelations(await readCandidates(session), patterns, filters);
}

/** Every table and sequence of the users: nothing temporary, nothing of the system's or of our own schema. */
export async function readCandidates(session: Session): Promise<Candidate[]> {
  return session.query<Candidate>(
    sql(
      "catalog.candidate",
      `select n.nspname::text as schema, c.relname::text as name,
         case c.relkind when 'S' then 'sequence' else 'table' end as kind, c.relispartition as partition,
         exists (
           select 1 from pg_catalog.pg_index i
           where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
             and not i.indisexclusion and (i.indisprimary or i.indimmediate and not exists (
               select 1 from pg_catalog.pg_attribute a
               where a.attrelid = c.oid and a.attnum = any(i.indkey::int2[]) and not a.attnotnull))) as keyed
       from pg_catalog.pg_class c
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p', 'S') and c.relpersistence <> 't'
         and n.nspname not in ('information_schema', 'bucardo') and n.nspname !~ '^pg_'
       order by n.nspname::text collate "C", c.relname::text collate "C"`,
    ),
  );
}

/** Pure half of `findRelations`. A pattern without schema matches in every schema; a partition matches only its exact name. */
export function matchRelations(candidates: readonly Candidate[], patterns: readonly string[], filters: FindFilters = {}): FoundRelations {
  const offered = candidates.filter((candidate) => passes(candidate, filters));
  const found = new Set<Candidate>();
  const unmatched: { pattern: string; nearest: string | null }[] = [];
  for (const pattern of patterns) {
    const hits = offered.filter(relationMatcher(pattern));
    for (const hit of hits) found.add(hit);
    if (hits.length === 0) unmatched.push({ pattern, nearest: nearestRelation(pattern, offered) });
  }
  return { found: offered.filter((candidate) => found.has(candidate)), unmatched };
}

/** The relation that a name without wildcards may have meant, written as the name was: with or without schema. */
export function nearestRelation(name: string, candidates: readonly QualifiedName[]): string | null {
  if (hasWildcard(name)) return null;
  const display = name.includes(".") ? displayName : (candidate: QualifiedName): string => candidate.name;
  const byName = nearest(name, candidates.map(display));
  // The right table in the wrong schema is nearer than any other spelling.
  const bare = name.slice(name.indexOf(".") + 1);
  const elsewhere = candidates.find((candidate) => candidate.name === bare);
  return elsewhere && display(elsewhere) !== byName ? displayName(elsewhere) : byName;
}

function passes(candidate: Candidate, filters: FindFilters): boolean {
  const is = (patterns: readonly string[] | undefined, text: string): boolean =>
    patterns?.some((pattern) => wildcard(pattern).test(text)) ?? false;
  const isRelation = (patterns: readonly string[] | undefined): boolean =>
    patterns?.some((pattern) => relationMatcher(pattern)(candidate)) ?? false;
  return (
    (filters.kind === undefined || candidate.kind === filters.kind) &&
    (!filters.schemas?.length || is(filters.schemas, candidate.schema)) &&
    !is(filters.excludeSchemas, candidate.schema) &&
    (!filters.tables?.length || isRelation(filters.tables)) &&
    !isRelation(filters.excludeTables) &&
    (!filters.pkonly || candidate.kind === "sequence" || candidate.keyed)
  );
}

/** `name`, `schema.name`, `"Odd.Schema"."name"`, with wildcards outside of quotes; a dot in a name needs no quotes when the whole is exact. */
function relationMatcher(pattern: string): (candidate: Candidate) => boolean {
  const [schema, name] = splitPattern(pattern);
  return (candidate) => {
    if (candidate.name === pattern || displayName(candidate) === pattern) return true;
    if (candidate.partition && hasWildcard(pattern)) return false;
    return name.test(candidate.name) && (schema === null || schema.test(candidate.schema));
  };
}

function hasWildcard(pattern: string): boolean {
  return /[*%]/.test(pattern.replaceAll(/"(?:[^"]|"")*"/g, ""));
}

function splitPattern(pattern: string): [RegExp | null, RegExp] {
  const parts = /^((?:"(?:[^"]|"")*"|[^".])+)\.(.+)$/.exec(pattern);
  return parts === null ? [null, wildcard(pattern)] : [wildcard(parts[1]!), wildcard(parts[2]!)];
}

function wildcard(pattern: string): RegExp {
  const quoted = /^"((?:[^"]|"")*)"$/.exec(pattern);
  if (quoted) return new RegExp(`^${escape(quoted[1]!.replaceAll('""', '"'))}$`, "u");
  return new RegExp(`^${pattern.split(/[*%]+/).map(escape).join(".*")}$`, "su");
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
