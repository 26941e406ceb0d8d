import { expect, test } from "vitest";
import { sql } from "../../src/postgres/sql.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { openDatabase, sessionTo } from "./rig.ts";

test.for([10, 11, 12, 13, 14, 15, 16, 17, 18] as const)(
  "PostgreSQL %i: all settings of a session are ours, also for a plain user",
  async (major) => {
    const server = await sharedServer(major);
    await using given = await openDatabase(server);
    const { database } = given;
    const role = `plain_${database.name}`;
    await database.query(`create role ${role} login; alter database ${database.name} set timezone to 'Asia/Tokyo'; alter role ${role} set statement_timeout to 1234;
    alter role ${role} set default_transaction_read_only to on; alter role ${role} set search_path to public; alter role ${role} set datestyle to 'German'`);
    await using plain = await sessionTo(database, { user: role });
    for (const session of [given.session, plain]) {
      expect(session).toMatchObject({ name: "db", serverEncoding: "UTF8" });
      expect(Math.floor(session.serverVersion / 10_000)).toBe(major);
      const names = [
        "TimeZone",
        "DateStyle",
        "statement_timeout",
        "default_transaction_read_only",
        "search_path",
        "row_security",
        "extra_float_digits",
        "client_encoding",
      ];
      if (major >= 11) names.push("jit");
      if (major >= 14) names.push("idle_session_timeout");
      if (major >= 17) names.push("transaction_timeout");
      const rows = await session.query<{ name: string; value: string }>(
        sql("test.settings", "select name, current_setting(name) as value from unnest($1::text[]) name", [names]),
      );
      expect(Object.fromEntries(rows.map(({ name, value }) => [name, value]))).toEqual({
        TimeZone: "UTC",
        DateStyle: "ISO, MDY",
        statement_timeout: "0",
        default_transaction_read_only: "off",
        search_path: "pg_catalog",
        row_security: "off",
        extra_float_digits: "3",
        client_encoding: "UTF8",
        ...(major >= 11 && { jit: "off" }),
        ...(major >= 14 && { idle_session_timeout: "0" }),
        ...(major >= 17 && { transaction_timeout: "0" }),
      });
      expect(await session.one(sql("test.pid", "select pg_backend_pid() as pid"))).toEqual({ pid: session.backendPid });
    }
    await plain.close();
    await database.query(`drop role ${role}`);
  },
);
