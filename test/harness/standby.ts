import { randomBytes } from "node:crypto";
import { appendFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onServer } from "./database.ts";
import { exec, execOrFail } from "./exec.ts";
import { startServer, superuser } from "./server.ts";
import type { Server, ServerOptions } from "./server.ts";
import { waitFor } from "./wait.ts";

/** Starts a physical standby that streams from a running server. It has the same system identifier, and after promote() another timeline. */
export async function startStandby(primary: Server, options: Pick<ServerOptions, "settings"> = {}): Promise<Server> {
  const slot = `standby_${randomBytes(4).toString("hex")}`;
  await onServer(primary, (admin) => admin.query("select pg_create_physical_replication_slot($1, true)", [slot]));
  const connection = `primary_conninfo = 'host=${primary.host} port=${primary.port} user=${superuser}'\nprimary_slot_name = '${slot}'\n`;
  return startServer({
    ...options,
    major: primary.major,
    async seed(dataDir) {
      await baseBackup(primary, dataDir);
      if (primary.major < 12) {
        await writeFile(join(dataDir, "recovery.conf"), `standby_mode = on\n${connection}`);
      } else {
        await writeFile(join(dataDir, "standby.signal"), "");
        await appendFile(join(dataDir, "postgresql.conf"), connection);
      }
    },
  });
}

/** Waits until a standby has replayed all that its primary has written. */
export async function caughtUp(primary: Server, standby: Server): Promise<void> {
  // A backup ends with a new segment, and no replay reaches the position behind its first header before something is written there.
  const { rows } = await onServer(primary, async (admin) => {
    await admin.query("select txid_current()");
    return admin.query<{ at: string }>("select pg_current_wal_flush_lsn()::text as at");
  });
  await waitFor(
    () =>
      onServer(standby, async (admin) => {
        const answer = await admin.query<{ there: boolean }>("select pg_last_wal_replay_lsn() >= $1::pg_lsn as there", [rows[0]?.at]);
        return answer.rows[0]?.there;
      }),
    { what: "the standby to catch up" },
  );
}

/** Makes a standby a primary, whether or not its primary still lives. */
export async function promote(standby: Server): Promise<void> {
  await writeFile(join(standby.dataDir, "promote"), "");
  process.kill(standby.pid, "SIGUSR1");
  await waitFor(() => onServer(standby, async (admin) => (await admin.query("select where not pg_is_in_recovery()")).rowCount === 1), {
    what: "the standby to be promoted",
  });
}

/**
 * A picture of a server's disk, taken while it is down for a moment. `restore()` puts it back: the server has then forgotten all that it
 * committed since, on the same timeline, as after a restore of its storage.
 */
export async function diskImage(server: Server): Promise<{ restore(): Promise<void> }> {
  const image = `${server.dataDir}-image-${randomBytes(4).toString("hex")}`;
  await server.stop();
  await execOrFail("cp", ["-a", "--reflink=auto", server.dataDir, image]);
  await server.start();
  return {
    async restore() {
      await server.stop("immediate");
      await rm(server.dataDir, { recursive: true, force: true });
      await execOrFail("cp", ["-a", "--reflink=auto", image, server.dataDir]);
      await server.start();
    },
  };
}

/** What pg_basebackup does, which is not in the packages of the servers. */
async function baseBackup(primary: Server, dataDir: string): Promise<void> {
  const [start, stop] =
    primary.major < 15
      ? ["pg_start_backup('harness', true, false)", "pg_stop_backup(false, false)"]
      : ["pg_backup_start('harness', true)", "pg_backup_stop(false)"];
  await onServer(primary, async (admin) => {
    await admin.query(`select ${start}`);
    // Files may vanish while they are copied, which cp reports by exit code 1; the WAL mends everything else.
    const { code, stderr } = await exec("cp", ["-a", primary.dataDir, dataDir]);
    if ((code ?? 2) > 1) throw new Error(`cp: ${stderr}`);
    const { rows } = await admin.query<{ labelfile: string }>(`select labelfile from ${stop}`);
    await rm(join(dataDir, "postmaster.pid"), { force: true });
    await writeFile(join(dataDir, "backup_label"), rows[0]?.labelfile ?? "");
  });
}
