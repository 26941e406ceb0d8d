import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { exec, execOrFail } from "./exec.ts";
import { root } from "./root.ts";

/** How PostgreSQL's programs, which refuse to run as root, are started here. */
export type Unprivileged = {
  /** Distinguishes data directories that belong to different users. */
  readonly owner: string;
  wrap(command: string, args: readonly string[]): { command: string; args: string[]; uid?: number; gid?: number };
  /** Makes the files the server's own. */
  own(folder: string): Promise<void>;
};

/** Exists on every Linux: initdb wants the user it runs as to have a name. */
const nobody = 65_534;
let decided: Promise<Unprivileged> | undefined;

export function unprivileged(): Promise<Unprivileged> {
  decided ??= decide();
  return decided;
}

async function decide(): Promise<Unprivileged> {
  const uid = process.getuid?.() ?? -1;
  const nothing = async (): Promise<void> => undefined;
  const plain: Unprivileged = { owner: `u${uid}`, wrap: (command, args) => ({ command, args: [...args] }), own: nothing };
  if (uid !== 0 && hasName(uid)) return plain;
  // In a user namespace of its own the server sees our files as those of nobody, and itself as that user.
  const namespace = ["--user", `--map-user=${nobody}`];
  const namespaces = await exec("unshare", [...namespace, "true"], { cwd: "/" }).catch(() => null);
  if (namespaces?.code === 0) {
    return { ...plain, wrap: (command, args) => ({ command: "unshare", args: [...namespace, command, ...args] }) };
  }
  if (uid !== 0) return plain;
  traversableByAll();
  return {
    owner: `u${nobody}`,
    wrap: (command, args) => ({ command, args: [...args], uid: nobody, gid: nobody }),
    own: async (folder) => void (await execOrFail("chown", ["-R", `${nobody}:${nobody}`, folder])),
  };
}

function hasName(uid: number): boolean {
  return readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .some((line) => line.split(":")[2] === String(uid));
}

function traversableByAll(): void {
  for (let folder = root; dirname(folder) !== folder; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) {
      throw new Error(`PostgreSQL refuses to run as root and another user may not enter ${folder}: work as a plain user, or elsewhere`);
    }
  }
}
