import { expect, test } from "vitest";
import { adaptStatement } from "./adapt.ts";

test.each([
  ["ALTER TABLE ONLY s.t ALTER COLUMN c SET (pg_attver=812118144)", 180000, null],
  [
    "ALTER TABLE ONLY s.t ALTER COLUMN c SET (pg_attver=1, n_distinct=100)",
    180000,
    "ALTER TABLE ONLY s.t ALTER COLUMN c SET (n_distinct=100)",
  ],
  [
    "ALTER TABLE ONLY s.t ALTER COLUMN c SET (n_distinct=-0.5, pg_attver=1)",
    100000,
    "ALTER TABLE ONLY s.t ALTER COLUMN c SET (n_distinct=-0.5)",
  ],
  ["CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ select 'SET (pg_attver=1)' $$", 180000, "same"],
  ['ALTER TABLE ONLY s.t ALTER COLUMN "pg_attver" SET (n_distinct=1)', 180000, "same"],
  ["ALTER TABLE ONLY s.t ALTER COLUMN c SET COMPRESSION lz4", 130000, null],
  ["ALTER TABLE ONLY s.t ALTER COLUMN c SET COMPRESSION lz4", 140000, "same"],
  ["COMMENT ON TABLE t IS 'set compression x'", 130000, "same"],
  [
    "CREATE TYPE s.r AS RANGE (\n    subtype = integer,\n    multirange_type_name = s.m\n)",
    130000,
    "CREATE TYPE s.r AS RANGE (\n    subtype = integer\n)",
  ],
  [
    'CREATE TYPE s.r AS RANGE (\n    subtype = integer,\n    multirange_type_name = s."m, n",\n    subtype_diff = d\n)',
    130000,
    "CREATE TYPE s.r AS RANGE (\n    subtype = integer,\n    subtype_diff = d\n)",
  ],
  [
    "CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f('execute function')",
    100000,
    "CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW EXECUTE PROCEDURE f('execute function')",
  ],
  [
    "CREATE CONSTRAINT TRIGGER x AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    100000,
    "CREATE CONSTRAINT TRIGGER x AFTER INSERT ON t FOR EACH ROW EXECUTE PROCEDURE f()",
  ],
  ["CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()", 110000, "same"],
  ["CREATE VIEW v AS SELECT 'execute function'::text", 100000, "same"],
  ["GRANT SELECT,MAINTAIN ON TABLE t TO bob", 160000, "GRANT SELECT ON TABLE t TO bob"],
  ["GRANT MAINTAIN,UPDATE ON TABLE t TO bob", 160000, "GRANT UPDATE ON TABLE t TO bob"],
  ["GRANT MAINTAIN ON TABLE t TO bob", 160000, null],
  [
    "ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT SELECT,MAINTAIN ON TABLES TO bob",
    160000,
    "ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT SELECT ON TABLES TO bob",
  ],
  [
    'CREATE TABLE s."Child" (\n    extra integer NOT NULL,\n    CONSTRAINT "c, 1" NOT NULL id,\n    NOT NULL "a b",\n    CONSTRAINT k CHECK ((extra IS NOT NULL))\n)\nINHERITS (s.parent)',
    170000,
    'CREATE TABLE s."Child" (\n    extra integer NOT NULL,\n    CONSTRAINT k CHECK ((extra IS NOT NULL))\n)\nINHERITS (s.parent);\nALTER TABLE ONLY s."Child" ALTER COLUMN id SET NOT NULL;\nALTER TABLE ONLY s."Child" ALTER COLUMN "a b" SET NOT NULL',
  ],
  ["CREATE TABLE s.t (\n    a integer CONSTRAINT x NOT NULL,\n    b integer DEFAULT 1 NOT NULL\n)", 170000, "same"],
  ["CREATE TABLE s.t (\n    CONSTRAINT x NOT NULL a\n)\nINHERITS (p)", 180000, "same"],
  ["GRANT SELECT,MAINTAIN ON TABLE t TO bob", 170000, "same"],
  ["GRANT SELECT ON TABLE maintain TO maintain", 160000, "same"],
])("%s for %i", (text, version, expected) => {
  expect(adaptStatement(text, version)).toBe(expected === "same" ? text : expected);
});
