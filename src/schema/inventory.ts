/**
 * What a database holds, for the plan of a move: `readInventory(session)`. A dozen queries and those of `readTables`, however many objects there are; no lock
 * but the shared one that sizes take. Works on 10 and newer.
 */
import { chooseKey, refusal } from "../catalog/key.ts";
import { readCandidates } from "../catalog/find.ts";
import { readTables, type TableShape } from "../catalog/table.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { readExtensions, type Extension } from "./extensions.ts";
import * as ask from "./inventory.sql.ts";

export type InventoryTable = QualifiedName & {
  readonly kind: "plain" | "partitioned" | "partition" | "foreign";
  readonly persistence: "p" | "u" | "t";
  readonly owner: string;
  readonly partitions: number;
  /** On disk, with TOAST, without indexes; all partitions together. */
  readonly bytes: number;
  readonly indexBytes: number;
  /** The planner's estimate; null when nobody has analyzed it. */
  readonly rows: number | null;
  /** Columns that name a row in replication; null with `noKey` saying why. */
  readonly key: readonly string[] | null;
  readonly noKey: string | null;
  readonly inherits: boolean;
  readonly rowSecurity: boolean;
  /** Belongs to that extension, which brings it along. */
  readonly extension: string | null;
  readonly foreignPartitions: readonly string[];
};

export type Inventory = {
  readonly database: ask.DatabaseRow;
  readonly tables: readonly InventoryTable[];
  readonly sequences: readonly QualifiedName[];
  readonly foreignTables: readonly QualifiedName[];
  readonly materializedViews: readonly (QualifiedName & { readonly bytes: number; readonly populated: boolean })[];
  /** `bytes`: of pg_largeobject as a whole. */
  readonly largeObjects: { readonly count: number; readonly bytes: number };
  readonly extensions: readonly Extension[];
  readonly collations: readonly ask.CollationRow[];
  readonly publications: readonly ask.PublicationRow[];
  /** Of this database, except physical ones; ours are none. */
  readonly slots: readonly ask.SlotRow[];
  readonly subscriptions: readonly ask.SubscriptionRow[];
  readonly eventTriggers: readonly ask.EventTriggerRow[];
  /** Other transactions of this database that are open for more than a minute, the oldest first. */
  readonly longTransactions: readonly ask.TransactionRow[];
  readonly preparedTransactions: readonly ask.PreparedRow[];
  /** Other than pg_default. */
  readonly tablespaces: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  /** All that is known of the tables, by `displayName`. */
  readonly shapes: ReadonlyMap<string, TableShape>;
};

export async function readInventory(session: Session): Promise<Inventory> {
  const { serverVersion: version } = session;
  const candidates = (await readCandidates(session)).filter(({ partition }) => !partition);
  const shapes = await readTables(
    session,
    candidates.filter(({ kind }) => kind === "table"),
    { bounds: false },
  );
  const [database] = await session.query<ask.DatabaseRow>(ask.database(version));
  const extra = new Map((await session.query<ask.SizeRow>(ask.sizes)).map((row) => [row.oid, row]));
  const settings = await session.query<{ name: string; value: string }>(ask.settings);
  return {
    database: database!,
    tables: [...shapes.values()].map((shape) => toTable(shape, extra)).toSorted((one, other) => other.bytes - one.bytes),
    sequences: candidates.filter(({ kind }) => kind === "sequence").map(({ schema, name }) => ({ schema, name })),
    foreignTables: await session.query(ask.foreignTables),
    materializedViews: await session.query(ask.materializedViews),
    largeObjects: await session.one(ask.largeObjects),
    extensions: await readExtensions(session),
    collations: await session.query(ask.collations(version)),
    publications: await session.query(ask.publications),
    slots: await session.query(ask.slots),
    subscriptions: await session.query(ask.subscriptions),
    eventTriggers: await session.query(ask.eventTriggers),
    longTransactions: await session.query(ask.longTransactions),
    preparedTransactions: await session.query(ask.preparedTransactions),
    tablespaces: (await session.query<{ name: string }>(ask.tablespaces)).map(({ name }) => name),
    settings: Object.fromEntries(settings.map(({ name, value }) => [name, value])),
    shapes,
  };
}

function toTable(shape: TableShape, extra: ReadonlyMap<number, ask.SizeRow>): InventoryTable {
  const own = extra.get(shape.oid);
  const leaves = shape.leaves.flatMap((leaf) => extra.get(leaf.oid) ?? []);
  const total = (value: (row: ask.SizeRow) => number) => leaves.reduce((sum, row) => sum + value(row), 0);
  const key = chooseKey(shape, null);
  return {
    schema: shape.schema,
    name: shape.name,
    kind: shape.kind === "partitioned" || shape.kind === "foreign" || shape.kind === "partition" ? shape.kind : "plain",
    persistence: shape.persistence,
    owner: shape.owner,
    partitions: shape.kind === "partitioned" ? shape.leaves.length : 0,
    bytes: total(({ bytes }) => bytes),
    indexBytes: total(({ indexBytes }) => indexBytes),
    rows: leaves.some(({ rows }) => rows === null) ? null : total(({ rows }) => rows ?? 0),
    key: key?.columns ?? null,
    noKey: key === null ? refusal(shape, null) : null,
    inherits: shape.inheritanceParents.length > 0 || shape.inheritanceChildren.length > 0,
    rowSecurity: shape.rowSecurity,
    extension: own?.extension ?? null,
    foreignPartitions: shape.foreignLeaves.map(displayName),
  };
}
