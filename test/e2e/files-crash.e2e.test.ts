import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Disposer } from "../../src/base/disposer.ts";
import { Loader } from "../cli/file-site.ts";
import { command } from "../faults/site.ts";
import { createDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { runProgram, spawnProgram } from "../harness/program.ts";
import { scratch } from "../harness/scratch.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";

const SCHEMA = "create table t (id integer primary key, mail text unique, n integer); create sequence numbers";

/** In their order; each is passed by a run that has something to write. */
const POINTS = ["replicate.table-applied", "files.prepared", "files.recorded", "replicate.target-committed", "replicate.settled"];

// proves: 6.3/flat-files
test(
  "killed at every point of a run into files: no torn file is seen, no number is missing, and what is loaded is the source",
  { timeout: 180_000 },
  async () => {
    await using opened = new Disposer();
    const server = await sharedServer(16);
    const [control, source, target] = [await createDatabase(server), await createDatabase(server), await createDatabase(server)];
    for (const database of [control, source, target]) opened.use(database);
    const home = opened.use(await scratch());
    await writeFile(
      join(home.path, ".bucardorc"),
      `dbhost=${server.host}\ndbport=${server.port}\ndbname=${control.name}\ndbuser=postgres\npiddir=${home.path}\nlogdest=none\n`,
    );
    for (const database of [source, target]) await database.query(SCHEMA);
    await source.query("insert into t select n, 'mail ' || n, 0 from generate_series(1, 500) n");
    const directory = join(home.path, "files");
    await mkdir(directory);
    const files = await Loader.make(directory, target);
    for (const line of [
      "install --batch",
      `add db A dbname=${source.name} host=${server.host} port=${server.port} user=postgres`,
      `add db F type=flatpg dir=${directory}`,
      "add sync s dbs=A:source,F:target tables=t,numbers autokick=off onetimecopy=1",
    ])
      await command(home, line);

    const kick = async () => {
      await using daemon = await spawnProgram(["daemon", "run"], { cwd: home.path });
      // It must have the lease before it can hear of a kick.
      await waitFor(async () => (await runProgram(["ping"], { cwd: home.path })).code === 0, { what: "the daemon" });
      const { code, stdout, stderr } = await runProgram(["kick", "s", "60"], { cwd: home.path });
      expect(code, `${stdout}${stderr}${daemon.stderr}`).toBe(0);
    };
    await kick();
    for (const [index, point] of POINTS.entries()) {
      await source.query(
        `update t set n = n + 1 where id % ${index + 2} = 0; delete from t where id = ${index + 10}; update t set mail = null where id = ${index + 100};
         update t set mail = 'mail ${index + 100}' where id = ${index + 101}; insert into t values (${1000 + index}, 'new ${index}', 0); select nextval('numbers')`,
      );
      // A daemon begins with a run of each target.
      await using daemon = await spawnProgram(["daemon", "run"], { cwd: home.path, env: { BUCARDO_POINT: `${point}=kill` } });
      expect(await daemon.ended(), `${point}: ${daemon.stderr.slice(-2000)}`).toMatchObject({ signal: "SIGKILL" });
      // Whatever is seen can be loaded at any time, also what will be written again.
      await files.load({ twice: true });
    }
    await kick();
    await files.load();
    expect(await equalTables(source, target, ["t"])).toEqual([]);
    expect(await target.one("select last_value::int, is_called from numbers")).toEqual({ last_value: POINTS.length, is_called: true });
    const numbers = (await files.files()).map((name) => Number(/\.(\d{10})\.sql$/.exec(name)![1]));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect((await readdir(join(directory, ".bucardo"))).filter((name) => !name.endsWith(".record"))).toEqual([]);
  },
);
