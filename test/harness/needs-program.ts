import { accessSync, constants, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where Debian has them. */
const packages: Readonly<Record<string, string>> = {
  psql: "postgresql-client",
  pg_dump: "postgresql-client",
  pgbench: "postgresql-contrib",
  pgbouncer: "pgbouncer",
  chromium: "chromium",
  promtool: "prometheus",
};

/** The path of a program of the machine, or null. */
export function programPath(name: string): string | null {
  // Debian's own folders first: in PATH stands a wrapper, which may be there without the program.
  const folders = [18, 17, 16, 15]
    .map((major) => `/usr/lib/postgresql/${major}/bin`)
    .concat((process.env["PATH"] ?? "").split(delimiter), "/usr/sbin");
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return !realpathSync(path).endsWith("pg_wrapper");
  } catch {
    return false;
  }
}

/**
 * Gives the paths of programs that npm cannot bring, or skips the test that calls this, with the reason:
 * `test("...", async (context) => { const { psql } = needsProgram(context, "psql"); ... })`.
 * Under BUCARDO_REQUIRE_ALL=1 (.ci/run) a skipped test fails the run.
 */
export function needsProgram<Name extends string>(context: { skip(reason: string): never }, ...names: Name[]): Record<Name, string> {
  const paths = names.map((name) => [name, programPath(name)] as const);
  const missing = paths.filter(([, path]) => path === null).map(([name]) => `${name} (${packages[name] ?? name})`);
  if (missing.length > 0) context.skip(`needs ${missing.join(", ")}`);
  return Object.fromEntries(paths) as Record<Name, string>;
}
