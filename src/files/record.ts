import { randomUUID } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { BucardoError } from "../model/error.ts";
import type { SinkPlace } from "../replicate/sink.ts";

/** What stands beside the files of one sync: how far they have come. */
export type FileRecord = SinkPlace & {
  /** Under which name the last one was written: while a file of this name is there, the last one has not got its own. */
  readonly temporary: string;
};

/** Null: there is none. */
export async function readRecord(path: string, db: string): Promise<FileRecord | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const record = parse(text);
  if (record === null)
    throw new BucardoError("file-target", `database "${db}": ${path} is not what we have written`, {
      db,
      advice: "Put it back from a backup; or remove it, and `bucardo accept SYNC` goes on with the number 1.",
    });
  return record;
}

function parse(text: string): FileRecord | null {
  try {
    const { id, number, positions, temporary } = JSON.parse(text) as Partial<FileRecord>;
    if (
      typeof id !== "string" ||
      !Number.isSafeInteger(number) ||
      typeof positions !== "object" ||
      positions === null ||
      typeof temporary !== "string"
    )
      return null;
    return { id, number: number!, positions, temporary };
  } catch {
    return null;
  }
}

/** Whole or not at all, whatever happens meanwhile. */
export async function writeRecord(path: string, record: FileRecord): Promise<void> {
  const beside = `${path}.${randomUUID()}.new`;
  const file = await open(beside, "wx", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(record)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
  await syncDirectory(dirname(path));
}

/** Names in it are as durable as what they name. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
