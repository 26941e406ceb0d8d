import { expect, test } from "vitest";
import { adaptStatement } from "./adapt.ts";

test.each([
  [
    "CREATE TABLE public.child (\n    extra text,\n    CONSTRAINT child_id_not_null NOT NULL id\n)\nINHERITS (public.parent)",
    "CREATE TABLE public.child (\n    extra text\n)\nINHERITS (public.parent);\nALTER TABLE ONLY public.child ALTER COLUMN id SET NOT NULL",
  ],
  [
    'CREATE TABLE "S".t (\n    CONSTRAINT "a b" NOT NULL "i d",\n    x numeric(3, 2)\n)',
    'CREATE TABLE "S".t (\n    x numeric(3, 2)\n);\nALTER TABLE ONLY "S".t ALTER COLUMN "i d" SET NOT NULL',
  ],
  [
    "CREATE TABLE t (CONSTRAINT n NOT NULL a NO INHERIT) INHERITS (p)",
    "CREATE TABLE t () INHERITS (p);\nALTER TABLE ONLY t ALTER COLUMN a SET NOT NULL",
  ],
  ["ALTER TABLE ONLY public.t ADD CONSTRAINT n NOT NULL a", "ALTER TABLE ONLY public.t ALTER COLUMN a SET NOT NULL"],
  ["CREATE TABLE t (a int CONSTRAINT n NOT NULL, b text DEFAULT 'CONSTRAINT x NOT NULL y')", "same"],
  ["ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL)", "same"],
])("NOT NULL as a constraint of the table: %s", (text, expected) => {
  expect(adaptStatement(text, 170000)).toBe(expected === "same" ? text : expected);
  expect(adaptStatement(text, 180000)).toBe(text);
});
