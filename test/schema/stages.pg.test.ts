import { expect, test } from "vitest";
import { dump, side } from "./rig.ts";

const tables = `
  create table with_pk (id int primary key, u int unique, x text); create index on with_pk (x); create unique index partial on with_pk (x) where u > 1;
  create table by_unique (a int not null, b int not null, c int unique, unique (a, b)); create unique index the_key on by_unique (b);
  create table deferred (a int not null unique deferrable initially deferred); create table nullable (a int unique);
  create table excluded (a int primary key, r int4range, exclude using gist (r with &&));
  create table fk (a int primary key references with_pk, p int);
  alter table fk add constraint fk_p_fkey foreign key (p) references with_pk (u) not valid; alter table fk add constraint positive check (p > 0) not valid;`;
const partitioned = `
  create table root (id int, v text, w int, primary key (id)) partition by range (id); create index root_v on root (v); create unique index root_u on root (id, w);
  create table leaf_1 partition of root for values from (0) to (10); create table branch partition of root for values from (10) to (20) partition by list (id);
  create table leaf_2 partition of branch default; create unique index of_leaf on leaf_1 (v);
  create table no_pk (id int not null, w int) partition by list (id); create table no_pk_1 partition of no_pk for values in (1); create unique index no_pk_key on no_pk (id);
  create table to_root (r int references root, s int references no_pk (id)); alter table root add constraint out foreign key (w) references with_pk;`;

async function stagesOf(major: 10 | 12 | 18, text: string) {
  await using source = await side("old", major);
  await source.database.query(text);
  const { objects } = await dump(source, major * 10_000, { pgDump: "built-in" });
  const named = (stage: string) => objects.filter((object) => object.stage === stage).map(({ id }) => id.replace("public.", ""));
  return { named, objects };
}

test.each([10, 18] as const)("PostgreSQL %i: what names rows comes first, all other uniqueness after the repair", async (major) => {
  const { named, objects } = await stagesOf(major, tables);
  expect(named("key").toSorted()).toEqual([
    "CONSTRAINT excluded excluded_pkey",
    "CONSTRAINT fk fk_pkey",
    "CONSTRAINT with_pk with_pk_pkey",
    "INDEX the_key",
  ]);
  expect(named("unique").toSorted()).toEqual([
    "CONSTRAINT by_unique by_unique_a_b_key",
    "CONSTRAINT by_unique by_unique_c_key",
    "CONSTRAINT deferred deferred_a_key",
    "CONSTRAINT excluded excluded_r_excl",
    "CONSTRAINT nullable nullable_a_key",
    "CONSTRAINT with_pk with_pk_u_key",
    "INDEX partial",
  ]);
  expect(named("index")).toEqual(["INDEX with_pk_x_idx"]);
  expect(named("check")).toEqual(["CHECK CONSTRAINT fk positive"]);
  expect(named("foreign-key")).toEqual(["FK CONSTRAINT fk fk_a_fkey", "FK CONSTRAINT fk fk_p_fkey"]);
  expect(named("validate")).toEqual(["VALIDATE FK CONSTRAINT public.fk fk_a_fkey".replace("public.", "")]);
  const texts = objects.filter(({ stage }) => stage === "foreign-key").map(({ statements }) => statements[0]);
  expect(texts).toEqual([expect.stringMatching(/[^D] NOT VALID$/), expect.stringMatching(/\) NOT VALID$/)]);
  expect(objects.find(({ id }) => id === "INDEX public.the_key")?.of).toEqual({ schema: "public", name: "by_unique" });
});

test.each([12, 18] as const)("PostgreSQL %i: partitions follow their root", async (major) => {
  const { named, objects } = await stagesOf(major, `${tables} ${partitioned}`);
  const of = (stage: string, pattern: RegExp) =>
    named(stage)
      .filter((id) => pattern.test(id))
      .toSorted();
  expect(of("key", /root|leaf|branch|no_pk/)).toEqual([
    "CONSTRAINT branch branch_pkey",
    "CONSTRAINT leaf_1 leaf_1_pkey",
    "CONSTRAINT leaf_2 leaf_2_pkey",
    "CONSTRAINT root root_pkey",
    "INDEX ATTACH branch_pkey",
    "INDEX ATTACH leaf_1_pkey",
    "INDEX ATTACH leaf_2_pkey",
    "INDEX ATTACH no_pk_1_id_idx",
    "INDEX no_pk_1_id_idx",
    "INDEX no_pk_key",
  ]);
  expect(of("unique", /root|leaf|branch/)).toEqual([
    "INDEX ATTACH branch_id_w_idx",
    "INDEX ATTACH leaf_1_id_w_idx",
    "INDEX ATTACH leaf_2_id_w_idx",
    "INDEX branch_id_w_idx",
    "INDEX leaf_1_id_w_idx",
    "INDEX leaf_2_id_w_idx",
    "INDEX of_leaf",
    "INDEX root_u",
  ]);
  expect(of("index", /root|leaf|branch/)).toHaveLength(7);
  // A partitioned table takes no NOT VALID.
  const out = objects.find(({ id }) => id === "FK CONSTRAINT public.root out");
  expect(out?.statements[0]).toMatch(/REFERENCES public\.with_pk\(id\)$/);
  expect(named("validate")).toEqual(expect.arrayContaining(["VALIDATE FK CONSTRAINT to_root to_root_r_fkey"]));
});
