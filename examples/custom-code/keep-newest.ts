// Two databases took the same e-mail for different employees. The one changed last stays; the other, and what refers to it, moves to a side table
// of the database that it came from.
//
//   bucardo add customcode keep_newest whenrun=exception src_code=keep-newest.ts sync=people table=employee
import type { Failure, Handle } from "./custom-code.d.ts";

type Pair = { incoming: number; local: number; incoming_is_newer: boolean };

export default async function keepNewest({ sqlstate, constraint, sourcedbh, targetdbh, incoming }: Failure) {
  if (sqlstate !== "23505" || constraint !== "employee_email_key") return { skip: true };
  const pairs = await targetdbh.query<Pair>(
    `select i.id as incoming, e.id as local, i.changed > e.changed as incoming_is_newer
       from ${incoming} i join employee e on e.email = i.email and e.id <> i.id`,
  );
  for (const pair of pairs) {
    if (pair.incoming_is_newer) await setAside(targetdbh, pair.local);
    else await setAside(sourcedbh, pair.incoming);
  }
  return { retry: pairs.length > 0, message: `${pairs.length} e-mails had two employees` };
}

/** What is changed here is an ordinary change: triggers fire, foreign keys hold, and it is replicated. */
async function setAside(db: Handle, id: number) {
  await db.execute("insert into supplies_lost select s.* from supplies s where s.employee = $1", [id]);
  await db.execute("insert into employee_lost select e.* from employee e where e.id = $1", [id]);
  await db.execute("delete from supplies where employee = $1", [id]);
  await db.execute("delete from employee where id = $1", [id]);
}
