import { open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Another content for a file, whole or not at all, also after a crash; mode and owner stay, and a link goes on pointing to it. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const real = await realpath(path);
  const { mode, uid, gid } = await stat(real);
  const beside = join(dirname(real), `.${basename(real)}.bucardo-${process.pid}`);
  try {
    const file = await open(beside, "w", 0o600);
    try {
      await file.writeFile(text);
      const mine = await file.stat();
      if (mine.uid !== uid || mine.gid !== gid) await file.chown(uid, gid);
      await file.chmod(mode & 0o7777);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, real);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
