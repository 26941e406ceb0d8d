import fc from "fast-check";
import { expect, test } from "vitest";
import { parseConnWords, parseUrl } from "./conninfo.ts";

const where = 'database "a"';

test("words, quotes and backslashes as in libpq", () => {
  expect(parseConnWords("", where)).toEqual({});
  expect(parseConnWords("  host=db1 port = 5433  sslmode=verify-full ", where)).toEqual({
    host: "db1",
    port: "5433",
    sslmode: "verify-full",
  });
  expect(parseConnWords(String.raw`password='it\'s \\ it' dbname=a\ b user=''`, where)).toEqual({
    password: "it's \\ it",
    dbname: "a b",
    user: "",
  });
});

test("every value comes back however it has to be quoted", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (dbname, user) => {
      const quote = (text: string) => `'${text.replace(/['\\]/g, "\\$&")}'`;
      expect(parseConnWords(`dbname=${quote(dbname)} user=${quote(user)}`, where)).toEqual({ dbname, user });
    }),
  );
});

test.for(["host", "=x", "host='x", "a b", "host='a'b"])("%s is refused", (text) => {
  expect(() => parseConnWords(text, where)).toThrow(where);
});

test("an error never shows a password", () => {
  expect(() => parseConnWords("host db1 password=geheim", where)).toThrow(/^(?!.*geheim)/s);
  expect(() => parseConnWords("password='geheim", where)).toThrow(/^(?!.*geheim)/s);
  expect(() => parseUrl("postgres:/u:geheim@h/d", where)).toThrow(/^(?!.*geheim)/s);
});

test("URLs", () => {
  expect(parseUrl("postgres://", where)).toEqual({});
  expect(parseUrl("postgresql://db1", where)).toEqual({ host: "db1" });
  expect(parseUrl("postgres://me:a%40b%3Ac@db1:5433/my%20db?sslmode=require&connect_timeout=3", where)).toEqual({
    user: "me",
    password: "a@b:c",
    host: "db1",
    port: "5433",
    dbname: "my db",
    sslmode: "require",
    connect_timeout: "3",
  });
  expect(parseUrl("postgres://me@[::1]:5433/d", where)).toEqual({ user: "me", host: "::1", port: "5433", dbname: "d" });
  expect(parseUrl("postgres://%2Fvar%2Frun/d?ssl=true", where)).toEqual({ host: "/var/run", dbname: "d", sslmode: "require" });
  expect(parseUrl("postgres:///d?host=/tmp&port=1", where)).toEqual({ host: "/tmp", port: "1", dbname: "d" });
  expect(() => parseUrl("postgres://h/%zz", where)).toThrow("%");
  expect(() => parseUrl("http://h/d", where)).toThrow("postgres://");
});

test("several hosts and words that we cannot honour are refused", () => {
  for (const text of ["host=a,b", "port=1,2", "hostaddr=1.1.1.1,2.2.2.2"])
    expect(() => parseConnWords(text, where)).toThrow("several hosts");
  expect(() => parseUrl("postgres://a:1,b:2/d", where)).toThrow("several hosts");
  for (const text of ["requirepeer=postgres", "require_auth=scram-sha-256", "sslmod=require"])
    expect(() => parseConnWords(text, where)).toThrow("not supported");
  expect(parseConnWords("application_name=x keepalives_idle=10", where)).toMatchObject({ application_name: "x" });
});
