import type { ForeignKeyPolicy, SequencePolicy } from "./conflict.ts";
import type { QualifiedName } from "./name.ts";

/** What a database is in a dbgroup. */
export type Role = "source" | "target" | "fullcopy";

/** What a database is. All but postgres are files, of changes as SQL: flatpg for psql, flatsql for others too. */
export const databaseTypes = ["postgres", "flatpg", "flatsql"] as const;
export type DatabaseType = (typeof databaseTypes)[number];

/** A registered connection. Null fields fall back to libpq's rules (environment, service file, pgpass, defaults). */
export type Database = {
  readonly name: string;
  readonly dbname: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly user: string | null;
  /** Null, `env:NAME`, or `enc:v1:...` (config/secret.ts). Never clear text. */
  readonly password: string | null;
  readonly service: string | null;
  /** Path of a pgpass file other than the default one. */
  readonly pgpass: string | null;
  /** More libpq words: `sslmode=verify-full sslrootcert=...`. */
  readonly conn: string | null;
  readonly status: "active" | "inactive";
  /** Absent: postgres. */
  readonly type?: DatabaseType;
  /** Of files: where they are written, an absolute path on the daemon's host; null or absent for all others. */
  readonly directory?: string | null;
  /** How many runs may use it at once; null or absent: as many as come. */
  readonly sourceLimit?: number | null;
  readonly targetLimit?: number | null;
  /** Keys of versions 4 and 5 without meaning here: kept and listed. */
  readonly legacy?: Readonly<Record<string, string>>;
};

/** A database that is no server, and can only be a target. */
export type FileDatabase = { readonly name: string; readonly type: Exclude<DatabaseType, "postgres">; readonly directory: string };

/** Null: it is a server. */
export function filesOf({ name, type = "postgres", directory }: Database): FileDatabase | null {
  return type === "postgres" ? null : { name, type, directory: directory ?? "" };
}

export type RelationKind = "table" | "sequence";

/** A table or sequence that we know of; its database is the one whose names and columns are the pattern for the others. */
export type Relation = QualifiedName & {
  readonly id: number;
  readonly db: string;
  readonly kind: RelationKind;
  /** Key chosen by hand; null: the catalog's choice (PRIMARY KEY, else the best unique not-null key). */
  readonly keyColumns: readonly string[] | null;
  /** Null: the sync's. */
  readonly autokick: boolean | null;
  /** Null: the sync's. False: differences of column order, defaults and NOT NULL are warnings. */
  readonly strictChecking: boolean | null;
  /** Null: the sync's. */
  readonly conflictStrategy: string | null;
  /** What is said of its own copies; the rest is the sync's. */
  readonly copying?: Partial<TableCopyPolicy>;
};

export type SyncStatus = "active" | "inactive";

/**
 * What a run does with a row that a target refuses. stop: nothing of the run is kept, and the target waits for a person. overwrite: rows of the target that
 * the source does not have go where they hold a unique value of the row; any other fault stops. set_aside: the row is noted on the source to be
 * replayed, and all others go on.
 */
export type OnError = "stop" | "overwrite" | "set_aside";

export type DeleteMethod = "delete" | "truncate" | "truncate_cascade";

/** How whole copies are made. */
export type CopyPolicy = {
  /** How a table is emptied by a whole copy (role fullcopy). */
  readonly deleteMethod: DeleteMethod;
  /** Indexes are built anew after a whole copy. */
  readonly rebuildIndex: boolean;
  /** After every copy of whole tables. */
  readonly analyze: boolean;
  readonly vacuum: boolean;
};

/** What a table may have otherwise than its sync. */
export type TableCopyPolicy = Omit<CopyPolicy, "deleteMethod">;

/** A sync as it is declared: relgroup x dbgroup + policies. */
export type Sync = {
  /** UUID; names everything of this sync on the replicated databases, so that two control databases never meet. */
  readonly id: string;
  readonly name: string;
  readonly relgroup: string;
  readonly dbgroup: string;
  readonly status: SyncStatus;
  /** Paused syncs keep capturing and do not run; survives restarts of the daemon. */
  readonly paused: boolean;
  /** Run when the source changes (old word: ping). */
  readonly autokick: boolean;
  /** Run at least this often, in seconds; null: only on kicks and changes. */
  readonly checktime: number | null;
  /** 0 off; 1 the next run copies whole tables; 2 the same for tables that are empty on the target. */
  readonly onetimecopy: 0 | 1 | 2;
  readonly strictChecking: boolean;
  readonly onError: OnError;
  /** What was said of whole copies; see `copyPolicy` for the rest. */
  readonly copying?: Partial<CopyPolicy>;
  /** Between several sources, as declared: see parseStrategy. */
  readonly conflictStrategy: string;
  readonly fkConflict: ForeignKeyPolicy;
  readonly sequenceConflict: SequencePolicy;
  readonly priority: number;
  /** Settings of versions 4 and 5 without meaning here: kept and listed, never used. */
  readonly legacy: Readonly<Record<string, string>>;
};

export type DbgroupMember = { readonly db: string; readonly role: Role; readonly priority: number };

export type CustomKind = "name" | "columns" | "filter";

/** Something of a table that is otherwise on a database than where it is registered; as the user declared it. */
export type Custom = {
  readonly id: number;
  /** Id of the relation. */
  readonly relation: number;
  readonly kind: CustomKind;
  /** Of kind name. */
  readonly to: QualifiedName | null;
  /** Of kind columns a select list, of kind filter a condition. */
  readonly clause: string | null;
  /** Null: every database of the sync that is no source. */
  readonly db: string | null;
  /** Id of the sync; null: every sync. */
  readonly sync: string | null;
};

/** A sync with its members and relations resolved: all that a daemon needs to run it. */
export type SyncDefinition = Sync & {
  readonly members: readonly DbgroupMember[];
  /** In the order they are replicated: priority (high first), then schema and name. As they are registered: see model/terms.ts for what they are on each database. */
  readonly relations: readonly Relation[];
  /** Members of its relgroup that are known and checked, and neither captured nor carried. */
  readonly ghosts?: readonly Relation[];
  /** Counts how often a copy was asked for (onetimecopy). */
  readonly copyRequest?: number;
  /** Other names, columns and rows on some databases; those of this sync and those of all syncs. */
  readonly customs?: readonly Custom[];
};

/** The role words of both versions, by prefix. */
export function parseRole(word: string): Role | null {
  const text = word.toLowerCase();
  if (/^(s|mas|pri)/.test(text)) return "source";
  if (/^(t|rep|sl)/.test(text)) return "target";
  if (text.startsWith("f")) return "fullcopy";
  return null;
}

/** In the order of priority and name. */
export function sourcesOf(sync: Pick<SyncDefinition, "members">): string[] {
  return sync.members.filter((member) => member.role === "source").map((member) => member.db);
}

/**
 * Where the sync brings changes to. With several sources the first is the one with which all others exchange their changes, and from which the targets get
 * them (ADR 14): so these are all members but the first source.
 */
export function targetsOf(sync: Pick<SyncDefinition, "members">): string[] {
  const first = sync.members.find((member) => member.role === "source")?.db;
  return sync.members.map((member) => member.db).filter((db) => db !== first);
}

/** To which members a source sends what it captures. Those of role fullcopy get whole copies, for which nothing is captured. */
export function receiversOf(sync: Pick<SyncDefinition, "members">, source: string): string[] {
  const [first, ...others] = sourcesOf(sync);
  if (source === first)
    return targetsOf(sync).filter((db) => !sync.members.some((member) => member.db === db && member.role === "fullcopy"));
  return first !== undefined && others.includes(source) ? [first] : [];
}

/** Changes are captured and carried for some member; else there are only whole copies. */
export function carriesChanges(sync: Pick<SyncDefinition, "members">): boolean {
  return sourcesOf(sync).some((source) => receiversOf(sync, source).length > 0);
}

export function copyPolicy({ copying }: Pick<Sync, "copying">): CopyPolicy {
  return { deleteMethod: "delete", rebuildIndex: false, analyze: true, vacuum: false, ...copying };
}
