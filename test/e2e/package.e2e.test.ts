import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { createDatabase } from "../harness/database.ts";
import { exec } from "../harness/exec.ts";
import { root } from "../harness/root.ts";
import { programEnv, scratch } from "../harness/scratch.ts";
import { ensureBuilt, sharedServer } from "../harness/shared-server.ts";

test("the package runs from anywhere, with nothing but its declared dependencies", async () => {
  await ensureBuilt();
  await using place = await scratch();
  const npm = await exec("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", place.path], {
    cwd: root,
    env: { ...process.env },
  });
  expect(npm.code, npm.stderr).toBe(0);
  const [archive] = (await readdir(place.path)).filter((name) => name.endsWith(".tgz"));
  await exec("tar", ["xzf", join(place.path, archive!)], { cwd: place.path });

  const home = join(place.path, "package");
  const manifest = JSON.parse(await readFile(join(home, "package.json"), "utf8")) as { dependencies: Record<string, string> };
  // What `npm install` would bring, and only that: a dependency of the tests must not be missed here.
  await mkdir(join(home, "node_modules"));
  for (const name of await withTheirs(Object.keys(manifest.dependencies))) {
    await mkdir(dirname(join(home, "node_modules", name)), { recursive: true });
    await symlink(join(root, "node_modules", name), join(home, "node_modules", name));
  }
  expect(await readdir(home)).toEqual(expect.arrayContaining(["bin", "dist", "sql", "README.md", "LICENSE"]));
  expect(await readdir(home)).not.toContain("test");

  const elsewhere = join(place.path, "elsewhere");
  await mkdir(elsewhere);
  await symlink(join(home, "bin", "bucardo"), join(elsewhere, "bucardo"));
  const run = (...args: string[]) =>
    exec(process.execPath, [join(elsewhere, "bucardo"), ...args], { cwd: elsewhere, env: programEnv(place.path) });
  expect(await run("--version")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^bucardo version \d+\.\d+\.\d+/) as string,
    stderr: "",
  });

  const server = await sharedServer(18);
  await using control = await createDatabase(server);
  const install = await run(
    "install",
    "--batch",
    `--dbhost=${server.host}`,
    `--dbport=${server.port}`,
    "--dbuser=postgres",
    `--dbname=${control.name}`,
    `--piddir=${elsewhere}`,
  );
  expect(install).toMatchObject({ code: 0, stderr: "" });

  // pg_dump as WebAssembly, in a thread whose file the compiler does not make.
  const script = `
    const [{ connect }, { dumpSchema }] = await Promise.all(["postgres/connect", "schema/dump"].map((file) => import(${JSON.stringify(home)} + "/dist/" + file + ".js")));
    const source = { name: "old", url: ${JSON.stringify(control.url)} };
    const session = await connect(source);
    const { objects } = await dumpSchema({ source, session, targetVersion: 180000, pgDump: "built-in", signal: new AbortController().signal });
    await session.close();
    console.log(objects.map(({ id }) => id).join("\\n"));`;
  await control.query("create table public.from_the_package (id int primary key)");
  const dumped = await exec(process.execPath, ["--input-type=module", "--eval", script], { cwd: elsewhere, env: programEnv(elsewhere) });
  expect(dumped).toMatchObject({ code: 0, stderr: "" });
  expect(dumped.stdout).toContain("TABLE public.from_the_package");
});

/** With the dependencies of dependencies, as the checkout has them: beside each other, or within the one that needs another version. */
async function withTheirs(names: readonly string[]): Promise<string[]> {
  const top = new Set<string>();
  const add = async (name: string, within: string): Promise<void> => {
    const nested = join(within, "node_modules", name);
    const place = existsSync(nested) ? nested : join(root, "node_modules", name);
    if (place !== nested && top.has(name)) return;
    if (place !== nested) top.add(name);
    const { dependencies = {} } = JSON.parse(await readFile(join(place, "package.json"), "utf8")) as {
      dependencies?: Record<string, string>;
    };
    for (const next of Object.keys(dependencies)) await add(next, place);
  };
  for (const name of names) await add(name, "/nowhere");
  return [...top];
}
