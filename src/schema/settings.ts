import { groupBy } from "../base/group-by.ts";
import { quoteIdent, quoteLiteral } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { SchemaObject } from "./object.ts";

/** `search_path=a, b`; `role` null: of the database for everybody. */
type SettingRow = { readonly role: string | null; readonly setting: string };
/** `grantee` null: PUBLIC. */
type GrantRow = { readonly grantee: string | null; readonly privilege: string; readonly grantable: boolean };
type DatabaseRow = { readonly owner: string; readonly comment: string | null; readonly connectionLimit: number; readonly ownAcl: boolean };

/** What belongs to the database as a whole and is in no dump of it: settings, grants, owner, comment. Objects of stage `setting`. */
export async function readDatabaseSettings(source: Session, targetDatabase: string): Promise<SchemaObject[]> {
  const database = await source.one<DatabaseRow>(databaseStatement);
  const settings = await source.query<SettingRow>(settingsStatement);
  const grants = database.ownAcl ? await source.query<GrantRow>(grantsStatement) : [];
  const name = quoteIdent(targetDatabase);
  const limit = database.connectionLimit;
  return [
    settingObject("DATABASE OWNER", [`ALTER DATABASE ${name} OWNER TO ${quoteIdent(database.owner)}`]),
    ...(database.comment === null
      ? []
      : [settingObject("DATABASE COMMENT", [`COMMENT ON DATABASE ${name} IS ${quoteLiteral(database.comment)}`])]),
    ...(limit === -1 ? [] : [settingObject("DATABASE CONNECTION LIMIT", [`ALTER DATABASE ${name} CONNECTION LIMIT ${limit}`])]),
    ...settings.map((row) => settingOf(row, name)),
    ...(database.ownAcl ? [settingObject("DATABASE ACL", grantTexts(grants, name))] : []),
  ];
}

function settingOf({ role, setting }: SettingRow, database: string): SchemaObject {
  const whom = role === null ? `DATABASE ${database}` : `ROLE ${quoteIdent(role)} IN DATABASE ${database}`;
  const name = setting.slice(0, setting.indexOf("="));
  return settingObject(role === null ? `DATABASE SETTING ${name}` : `DATABASE SETTING ${name} of ${role}`, [
    `ALTER ${whom} SET ${settingText(setting)}`,
  ]);
}

function grantTexts(grants: readonly GrantRow[], database: string): string[] {
  const groups = groupBy(grants, ({ grantee, grantable }) => JSON.stringify([grantee, grantable]));
  const texts = [...groups.values()].map((rows) => {
    const { grantee, grantable } = rows[0]!;
    const privileges = rows.map(({ privilege }) => privilege).join(", ");
    return `GRANT ${privileges} ON DATABASE ${database} TO ${grantee === null ? "PUBLIC" : quoteIdent(grantee)}${grantable ? " WITH GRANT OPTION" : ""}`;
  });
  return [`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`, ...texts];
}

/** Settings whose value is a list of names: stored with the quotes that each element needs, so they are not one constant. */
const lists = new Set([
  "search_path",
  "temp_tablespaces",
  "session_preload_libraries",
  "shared_preload_libraries",
  "local_preload_libraries",
  "unix_socket_directories",
]);

/** `search_path=a, "B c"` of the catalogue as SQL. */
export function settingText(setting: string): string {
  const at = setting.indexOf("=");
  const [name, value] = [setting.slice(0, at), setting.slice(at + 1)];
  // Names of extensions' settings hold a dot: my.setting.
  const quoted = name.split(".").map(quoteIdent).join(".");
  if (!lists.has(name)) return `${quoted} TO ${quoteLiteral(value)}`;
  const elements = [...value.matchAll(/"((?:[^"]|"")*)"|[^",\s]+/g)].map(([whole, inner]) =>
    quoteLiteral(inner?.replaceAll('""', '"') ?? whole),
  );
  return `${quoted} TO ${elements.length === 0 ? "''" : elements.join(", ")}`;
}

function settingObject(id: string, statements: readonly string[]): SchemaObject {
  return looseObject({ id, kind: "DATABASE PROPERTIES", name: id, stage: "setting", statements });
}

/** An object that pg_dump does not tell of, so it has neither schema nor oid. */
export function looseObject(of: Pick<SchemaObject, "id" | "kind" | "name" | "stage" | "statements">): SchemaObject {
  return { schema: null, of: null, owner: null, tablespace: null, accessMethod: null, classId: 0, oid: 0, pages: 0, ...of };
}

const databaseStatement = sql(
  "schema.database",
  `select pg_catalog.pg_get_userbyid(d.datdba)::text as owner, pg_catalog.shobj_description(d.oid, 'pg_database') as comment,
          d.datconnlimit as "connectionLimit", d.datacl is not null as "ownAcl"
     from pg_catalog.pg_database d where d.datname = current_database()`,
);

const settingsStatement = sql(
  "schema.database-settings",
  `select r.rolname::text as role, c.setting
     from pg_catalog.pg_db_role_setting s
     join pg_catalog.pg_database d on d.oid = s.setdatabase and d.datname = current_database()
     left join pg_catalog.pg_roles r on r.oid = s.setrole
     cross join lateral pg_catalog.unnest(s.setconfig) c (setting)
    order by r.rolname nulls first, c.setting`,
);

const grantsStatement = sql(
  "schema.database-grants",
  `select r.rolname::text as grantee, a.privilege_type as privilege, a.is_grantable as grantable
     from pg_catalog.pg_database d cross join lateral pg_catalog.aclexplode(d.datacl) a
     left join pg_catalog.pg_roles r on r.oid = a.grantee
    where d.datname = current_database() and (a.grantee = 0 or r.rolname is not null)
    order by r.rolname nulls first, a.is_grantable, a.privilege_type`,
);
