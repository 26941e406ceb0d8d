import { expect, test } from "vitest";
import { connect } from "../../src/postgres/connect.ts";
import { readRoles } from "../../src/schema/roles.ts";
import { createDatabase } from "../harness/database.ts";
import { startServer } from "../harness/server.ts";
import { dump, failuresOf, restoreAll, sideOf, textsOf } from "./rig.ts";

// Roles are of the whole server, so these are the test's own.
test("roles, memberships, passwords, owners, grants and settings, to a newer version", async () => {
  await using older = await startServer({ major: 13 });
  await using newer = await startServer({ major: 17, auth: "scram-sha-256", hba: ["host all postgres all trust"] });
  await using source = await sideOf("old", await createDatabase(older));
  await source.database.query(`set password_encryption = 'scram-sha-256';
    create role "Group; 1" noinherit; create role bob login password 'it''s' connection limit 5 valid until '2099-01-01 00:00:00+00' createdb in role "Group; 1", pg_monitor;
    create role "da""ve" login replication bypassrls; grant "Group; 1" to "da""ve" with admin option; comment on role bob is 'b;';
    alter role bob set search_path = app, "Odd, Schema", public; alter role bob set statement_timeout = '5s'; alter role bob set my.setting = 'it''s';
    alter role postgres set work_mem = '5MB';
    create schema app authorization bob; create table app.t (id int); alter table app.t owner to "da""ve"; grant select on app.t to bob with grant option; set role bob; grant select on app.t to postgres, public; reset role;
    set role bob; create table app.of_bob (id int); reset role; alter default privileges for role bob in schema app grant select on tables to "Group; 1";
    create policy p on app.t to bob using (true);`);
  const name = source.database.name;
  await source.database
    .query(`alter database "${name}" set datestyle = 'german, dmy'; alter role bob in database "${name}" set search_path = app;
    comment on database "${name}" is 'd'; alter database "${name}" owner to bob; alter database "${name}" connection limit 77;
    revoke all on database "${name}" from public; grant connect on database "${name}" to "da""ve";`);
  await using target = await sideOf("new", await createDatabase(newer));
  const dumped = await dump(source, 170000, { pgDump: "built-in", target: target.session });
  expect(JSON.stringify(dumped.notes)).not.toContain("SCRAM-SHA");
  expect(dumped.notes.map(({ what }) => what)).toEqual(["role postgres is there already, with other settings"]);
  expect(failuresOf(await restoreAll(target, dumped.objects))).toEqual([]);

  const [here, there] = [await readRoles(source.session), await readRoles(target.session)];
  expect(here.passwords && there.passwords).toBe(true);
  const withoutSuperuser = (roles: typeof here) => roles.roles.filter((role) => role.name !== "postgres");
  expect(withoutSuperuser(there)).toEqual(withoutSuperuser(here));
  expect(there.memberships).toEqual(here.memberships);
  const own = `select pg_get_userbyid(datdba) as owner, datconnlimit as limit, shobj_description(oid, 'pg_database') as comment, has_database_privilege('da"ve', oid, 'connect') as dave,
      has_database_privilege('Group; 1', oid, 'connect') as others from pg_database where datname = current_database()`;
  expect(await target.database.one(own)).toEqual(await source.database.one(own));
  const grants = `select grantor, grantee, privilege_type, is_grantable from information_schema.role_table_grants where table_schema = 'app' order by 1, 2, 3`;
  expect(await target.database.query(grants)).toEqual(await source.database.query(grants));
  // The hash is the password: bob gets in, and his settings are there.
  await using bob = await connect({
    ...target.options,
    url: null,
    host: newer.host,
    port: newer.port,
    dbname: target.database.name,
    user: "bob",
    password: "it's",
  });
  const role = `select setconfig from pg_db_role_setting s join pg_roles r on r.oid = s.setrole where r.rolname = 'bob' order by setdatabase = 0, setconfig`;
  expect(await bob.query({ name: "x", text: role })).toEqual(await source.database.query(role));
  expect(textsOf(await dump(target, 170000, { pgDump: "built-in" }))["TABLE app.of_bob"]).toContain("OWNER TO bob");
});

test("what is there already is left alone and told; without superuser rights much is told", async () => {
  await using older = await startServer({ major: 12 });
  await using source = await sideOf("old", await createDatabase(older));
  await source.database
    .query(`set password_encryption = 'md5'; create role carl login createdb password 'x'; create role tina login superuser; create role plain login;
    alter database "${source.database.name}" owner to plain`);
  await using newer = await startServer({ major: 18 });
  await using target = await sideOf("new", await createDatabase(newer));
  await target.database.query("create role carl login connection limit 3 password 'y'; create role mover login createrole");
  await using mover = await connect({
    ...target.options,
    url: null,
    host: newer.host,
    port: newer.port,
    dbname: target.database.name,
    user: "mover",
  });
  const asSuperuser = await dump(source, 180000, { pgDump: "built-in", target: target.session });
  expect(asSuperuser.objects.filter(({ stage }) => stage === "role").map(({ id }) => id)).toEqual(["ROLE plain", "ROLE tina"]);
  expect(asSuperuser.notes.map(({ what, remedy }) => `${what}: ${remedy}`)).toEqual([
    'role carl is there already, with other attributes: If it shall be as on the old side: alter role "carl" CREATEDB CONNECTION LIMIT -1;',
    "role carl is there already, with another password: Check that its users can log in on both sides.",
  ]);
  const asMover = await dump(source, 180000, { pgDump: "built-in", target: mover });
  expect(asMover.notes.map(({ what }) => what)).toContain("role tina arrives without SUPERUSER: only a superuser gives that");
  const roles = asMover.objects.filter(({ stage }) => stage === "role");
  expect(
    failuresOf(
      await restoreAll(
        {
          ...target,
          options: { ...target.options, url: null, host: newer.host, port: newer.port, dbname: target.database.name, user: "mover" },
        },
        roles,
      ),
    ),
  ).toEqual([]);
});
