import { readDatabase, readDatabases } from "../../control/database.ts";
import { readDbgroups } from "../../control/dbgroup.ts";
import { BucardoError } from "../../model/error.ts";
import { filesOf, type Database } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";

/** The database whose tables are meant: the named one, the only one, or the only one that is a source. */
export async function chooseDatabase(control: Session, wanted: string | undefined): Promise<Database> {
  if (wanted !== undefined) return await readDatabase(control, wanted);
  const databases = (await readDatabases(control)).filter((database) => filesOf(database) === null);
  const [only] = databases;
  if (only === undefined)
    throw new BucardoError("unknown-object", "No databases have been added yet.", { advice: "`bucardo add db` registers one." });
  if (databases.length === 1) return only;
  const sources = new Set(
    (await readDbgroups(control)).flatMap((group) => group.members.filter((member) => member.role === "source").map((member) => member.db)),
  );
  const candidates = databases.filter((database) => sources.has(database.name));
  const [source] = candidates;
  if (source !== undefined && candidates.length === 1) return source;
  const names = (source === undefined ? databases : candidates).map((database) => database.name).join(", ");
  throw new BucardoError("usage", `Several databases may be meant: ${names}.`, { advice: "Say which: db=NAME. Nothing was changed." });
}
