import { BucardoError } from "../model/error.ts";

/** Does something with files; what goes wrong is told as an error of the target. Errors: file-target. */
export async function onFiles<T>(db: string, directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BucardoError) throw error;
    throw new BucardoError("file-target", `database "${db}": ${reasonOf(error, directory)}`, { db, cause: error });
  }
}

/** What a person is told of an error of the file system. */
export function reasonOf(error: unknown, directory: string): string {
  const { code = "", path = directory } = error as NodeJS.ErrnoException;
  const reason = REASONS[code];
  return `${path} ${reason ?? `gives an error: ${error instanceof Error ? error.message : String(error)}`}`;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "is no directory",
  EACCES: "may not be read and written by this user",
  EPERM: "may not be written by this user",
  EROFS: "is on a file system that is read only",
  ENOSPC: "is on a file system that is full",
  EDQUOT: "is on a file system whose quota is used up",
};
