import { readSelectList, type SelectItem } from "./expression.ts";
import type { QualifiedName } from "./name.ts";
import type { Custom, CustomKind, DbgroupMember, Relation } from "./sync.ts";

/** How a table crosses from one source to one target. Absent where nothing is special. */
export type Terms = {
  /** On the target; null: the same name. */
  readonly name: QualifiedName | null;
  /** Null: all columns, by their names. */
  readonly columns: readonly SelectItem[] | null;
  /** Rows that are replicated; null: all. */
  readonly filter: string | null;
};

/** What the resolution looks at. */
type Declared = {
  readonly id: string;
  readonly members: readonly DbgroupMember[];
  readonly customs?: readonly Custom[];
};

/** The name that a relation of the sync has on one of its databases. */
export function nameOn(sync: Declared, relation: Pick<Relation, "id" | "schema" | "name">, db: string): QualifiedName {
  const { schema, name } = relation;
  return chosen(sync, relation.id, "name", db)?.to ?? { schema, name };
}

/** The relations of a sync as one of its databases calls them. */
export function relationsOn(sync: Declared & { readonly relations: readonly Relation[] }, db: string): Relation[] {
  return sync.relations.map((relation) => ({ ...relation, ...nameOn(sync, relation, db) }));
}

/** Undefined: the table is the same on both sides. */
export function termsOf(sync: Declared, relation: Relation, source: string, target: string): Terms | undefined {
  const [here, there] = [nameOn(sync, relation, source), nameOn(sync, relation, target)];
  const terms: Terms = {
    name: here.schema === there.schema && here.name === there.name ? null : there,
    columns: selectList(chosen(sync, relation.id, "columns", target)?.clause ?? null),
    filter: chosen(sync, relation.id, "filter", target)?.clause ?? null,
  };
  return terms.name === null && terms.columns === null && terms.filter === null ? undefined : terms;
}

/** One text for what rows become: another one makes the next run copy the table again. Empty: they are what they are. */
export function termsText(terms: Terms | undefined): string {
  if (terms === undefined) return "";
  const { name, columns, filter } = terms;
  const items = columns?.map((item) => [item.name, item.expression]) ?? null;
  return JSON.stringify([name === null ? null : [name.schema, name.name], items, filter]);
}

/** The most specific one counts: of this sync on this database, of the database, of the sync, of all. */
function chosen({ id, members, customs }: Declared, relation: number, kind: CustomKind, db: string): Custom | undefined {
  const isSource = members.some((member) => member.db === db && member.role === "source");
  const rank = (custom: Custom): number => (custom.db === null ? 0 : 2) + (custom.sync === null ? 0 : 1);
  return (customs ?? [])
    .filter((custom) => custom.relation === relation && custom.kind === kind)
    .filter((custom) => (custom.db === null ? !isSource : custom.db === db) && (custom.sync === null || custom.sync === id))
    .toSorted((one, other) => rank(other) - rank(one))[0];
}

function selectList(clause: string | null): readonly SelectItem[] | null {
  return clause === null ? null : readSelectList(clause);
}
