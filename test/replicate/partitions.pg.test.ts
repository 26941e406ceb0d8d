import { expect, test } from "vitest";
import { followIntoTree, followTen, followTree } from "./partition-scenario.ts";
import { openRig } from "./rig.ts";

test.for([
  [12, 18, "same"],
  [11, 10, "plain"],
  [18, 12, "otherwise"],
] as const)("a partition tree of %i is followed by %i (%s)", ([from, to, shape]) => followTree(from, to, shape));

test("a plain table is followed by a partitioned one", () => followIntoTree(18, 11, "otherwise"));

test.for([
  [10, 18],
  [18, 10],
] as const)("partitions of %i to %i: in 10 every leaf has its own key and no row moves", ([from, to]) => followTen(from, to));

test.for([12, 18] as const)("the last partition of %i goes: nothing is left on the target, and the next one is followed", async (from) => {
  await using rig = await openRig({
    majors: [from, 15],
    schema: "create table m (id int primary key) partition by range (id); create table m_1 partition of m for values from (0) to (10)",
    targetSchema: "create table m (id int primary key)",
    tables: ["m"],
  });
  await rig.source.query("insert into m values (1), (2)");
  await rig.run();
  await rig.source.query("drop table m_1");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  await rig.source.query("create table m_2 partition of m for values from (10) to (20); insert into m values (11)");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test.for([12, 18] as const)("a partition of %i that is captured by itself is still captured as a part of its tree", async (from) => {
  await using rig = await openRig({
    majors: [from, 15],
    schema:
      "create table m (id int primary key, v text) partition by range (id); create table m_1 partition of m for values from (0) to (10)",
    targetSchema: "create table m (id int primary key, v text); create table m_1 (id int primary key, v text)",
    tables: ["m_1", "m"],
  });
  for (const text of [
    "insert into m values (1, 'root')",
    "insert into m_1 values (2, 'leaf')",
    "update m_1 set v = 'changed', id = id + 3",
    "delete from m where id = 4",
    "truncate m_1; insert into m_1 values (7, 'after')",
  ]) {
    await rig.source.query(text);
    await rig.run();
    expect({ text, differences: await rig.differences() }).toEqual({ text, differences: [] });
  }
});

// Before 13 the server refuses to attach a table whose statement triggers have transition tables.
test.for([13, 18] as const)("a captured table of %i that becomes a partition of another goes on being followed", async (from) => {
  await using rig = await openRig({
    majors: [from, 15],
    schema: "create table m_1 (id int primary key, v text)",
    tables: ["m_1"],
  });
  await rig.source.query("insert into m_1 values (1, 'alone')");
  await rig.run();
  await rig.source.query(
    "create table m (id int primary key, v text) partition by range (id); alter table m attach partition m_1 for values from (0) to (10); insert into m values (2, 'unseen')",
  );
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  await rig.source.query("insert into m values (3, 'seen'); update m set v = 'root', id = id + 5; delete from m where id = 6");
  expect((await rig.run()).tables).toMatchObject([{ refilled: false }]);
  expect(await rig.differences()).toEqual([]);
});

test.for([
  [12, 18],
  [15, 12],
  [18, 15],
] as const)("foreign keys that cascade through partitions of %i are followed by %i", async ([from, to]) => {
  const schema = `
    create table p (id int, area int, v text, primary key (id, area)) partition by list (area);
    create table p_1 partition of p for values in (1); create table p_2 partition of p for values in (2); create table p_rest partition of p default;
    create table c (id int, kind int, p int, area int, v text, primary key (id, kind), foreign key (p, area) references p on update cascade on delete cascade) partition by range (kind);
    create table c_low partition of c for values from (0) to (10); create table c_high partition of c for values from (10) to (20)`;
  await using rig = await openRig({ majors: [from, to], schema, tables: ["p", "c"] });
  for (const text of [
    "insert into p select i, i % 4, 'p' from generate_series(1, 20) i; insert into c select i, i % 20, i % 20 + 1, (i % 20 + 1) % 4, 'c' from generate_series(1, 60) i",
    "delete from p where id in (4, 5); delete from p_1 where id = 9",
    "update p set id = id + 100 where area = 2; update p_1 set id = id + 200",
    "update p set v = 'same key'; update c set kind = 19 - kind",
    "copy c from program 'printf \"900\\t3\\t3\\t3\\tcopied\\n901\\t12\\t3\\t3\\tcopied\\n\"'",
    "truncate p cascade; insert into p values (1, 1, 'again')",
  ]) {
    await rig.source.query(text);
    await rig.run();
    expect({ text, differences: await rig.differences() }).toEqual({ text, differences: [] });
  }
});

test.for([
  [10, 18],
  [18, 12],
] as const)("a target (%i to %i) that is partitioned by a column outside of the key", async ([from, to]) => {
  await using rig = await openRig({
    majors: [from, to],
    schema: "create table t (id int primary key, at date not null, v text)",
    targetSchema: `create table t (id int not null, at date not null, v text, primary key (id, at)) partition by range (at);
      create table t_old partition of t for values from (minvalue) to ('2024-01-01'); create table t_new partition of t for values from ('2024-01-01') to (maxvalue)`,
    tables: ["t"],
    strict: false,
  });
  for (const text of [
    "insert into t select i, '2023-12-25'::date + i, 'v' from generate_series(1, 20) i",
    "update t set at = '2020-01-01' where id = 20; update t set at = '2025-01-01', v = 'moved' where id < 3; update t set id = id + 100 where id = 10; delete from t where id = 5",
    "truncate t; insert into t values (1, '2024-06-06', 'after')",
  ]) {
    await rig.source.query(text);
    await rig.run();
    expect({ text, differences: await rig.differences() }).toEqual({ text, differences: [] });
  }
});
