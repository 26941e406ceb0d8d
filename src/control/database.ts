import { BucardoError } from "../model/error.ts";
import type { Database } from "../model/sync.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

const COLUMNS = `d.name, d.dbname, d.host, d.port, d."user", d.password, d.service, d.pgpass, d.conn, d.status, d.type, d.directory,
  d.source_limit as "sourceLimit", d.target_limit as "targetLimit", d.legacy`;

/** Every registered database, by name. */
export async function readDatabases(session: Session): Promise<Database[]> {
  return await session.query<Database>(sql("control.database-read-all", `select ${COLUMNS} from bucardo.db d order by d.name`));
}

export async function findDatabase(session: Session, name: string): Promise<Database | null> {
  const rows = await session.query<Database>(sql("control.database-read", `select ${COLUMNS} from bucardo.db d where d.name = $1`, [name]));
  return rows[0] ?? null;
}

/** @throws BucardoError unknown-object */
export async function readDatabase(session: Session, name: string): Promise<Database> {
  const found = await findDatabase(session, name);
  if (found === null)
    throw new BucardoError("unknown-object", `Unknown database "${name}".`, {
      db: name,
      advice: "`bucardo list dbs` shows the registered ones.",
    });
  return found;
}

export async function insertDatabase(session: Session, db: Database): Promise<void> {
  await session.execute(
    sql(
      "control.database-insert",
      `insert into bucardo.db (name, dbname, host, port, "user", password, service, pgpass, conn, status, source_limit, target_limit, legacy, type, directory)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
      valuesOf(db),
    ),
  );
}

/** Replaces the whole row; `name` is the one it had, so that it can be renamed (references follow). */
export async function updateDatabase(session: Session, name: string, db: Database): Promise<void> {
  await session.execute(
    sql(
      "control.database-update",
      `update bucardo.db set name = $2, dbname = $3, host = $4, port = $5, "user" = $6, password = $7, service = $8, pgpass = $9, conn = $10, status = $11,
              source_limit = $12, target_limit = $13, legacy = $14, type = $15, directory = $16
        where name = $1`,
      [name, ...valuesOf(db)],
    ),
  );
}

/** Its relations and memberships go with it. */
export async function deleteDatabase(session: Session, name: string): Promise<void> {
  await session.execute(sql("control.database-delete", "delete from bucardo.db where name = $1", [name]));
}

function valuesOf({
  name,
  dbname,
  host,
  port,
  user,
  password,
  service,
  pgpass,
  conn,
  status,
  sourceLimit,
  targetLimit,
  legacy,
  type,
  directory,
}: Database): unknown[] {
  const limits = [sourceLimit ?? null, targetLimit ?? null];
  return [
    name,
    dbname,
    host,
    port,
    user,
    password,
    service,
    pgpass,
    conn,
    status,
    ...limits,
    JSON.stringify(legacy ?? {}),
    type ?? "postgres",
    directory ?? null,
  ];
}
