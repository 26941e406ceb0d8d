import { existsSync } from "node:fs";
import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Binaries } from "./binaries.ts";
import { execOrFail } from "./exec.ts";
import { unprivileged } from "./privilege.ts";
import { cacheDir } from "./root.ts";

/** PostgreSQL's programs see no setting of the machine: neither language nor PG* variables. */
export const serverEnv: NodeJS.ProcessEnv = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };

const made = new Map<string, Promise<string>>();

/** Copies a fresh, never started cluster of these programs to `dataDir`, which must not exist. */
export async function createCluster(programs: Binaries, dataDir: string): Promise<void> {
  let template = made.get(programs.initdb);
  if (!template) {
    template = makeTemplate(programs);
    made.set(programs.initdb, template);
  }
  await execOrFail("cp", ["-a", "--reflink=auto", await template, dataDir]);
}

/** initdb takes a second or two, so it runs once per version and user and is kept for later runs. */
async function makeTemplate({ initdb, version }: Binaries): Promise<string> {
  const user = await unprivileged();
  const template = join(cacheDir, `template-${version}-${user.owner}`);
  if (existsSync(template)) return template;
  await mkdir(cacheDir, { recursive: true });
  const own = join(cacheDir, `.initdb-${version}-${process.pid}`);
  await rm(own, { recursive: true, force: true });
  await mkdir(own, { mode: 0o700 });
  await user.own(own);
  const options = ["-D", own, "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"];
  const { command, args, ...as } = user.wrap(initdb, options);
  await execOrFail(command, args, { cwd: "/", env: serverEnv, ...as });
  await chmod(own, 0o700);
  // Whoever is second finds the folder there (rename onto a folder that is not empty fails) and takes it.
  await rename(own, template).catch(async (error: unknown) => {
    await rm(own, { recursive: true, force: true });
    if (!existsSync(template)) throw error;
  });
  return template;
}
