import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where Debian has them. */
const packages: Readonly<Record<string, string>> = {
  psql: "postgresql-client",
  pg_dump: "postgresql-client",
  pgbench: "postgresql-contrib",
  pgbouncer: "pgbouncer",
};

/** The path of a program of the machine, or null. */
export function programPath(name: string): string | null {
  // Debian keeps the programs that only come with a server (pgbench of some versions) out of PATH.
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...[18, 17, 16, 15].map((major) => `/usr/lib/postgresql/${major}/bin`)];
  for (const folder of folders) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // the next folder
    }
  }
  return null;
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
