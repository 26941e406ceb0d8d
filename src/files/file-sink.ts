import { randomUUID } from "node:crypto";
import { access, constants, mkdir, open, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { reach } from "../base/point.ts";
import { BucardoError } from "../model/error.ts";
import type { FileDatabase } from "../model/sync.ts";
import type { Positions, RowTaker, Sink, SinkPlace, SinkRun, SinkRunOptions, SinkSequence, SinkTable } from "../replicate/sink.ts";
import { fieldsOf, RowCutter } from "./copy-text.ts";
import { onFiles, reasonOf } from "./failure.ts";
import { flatpg } from "./flatpg.ts";
import { flatsql } from "./flatsql.ts";
import type { Fields, FileFormat } from "./format.ts";
import { readRecord, syncDirectory, writeRecord } from "./record.ts";

const FORMATS: Readonly<Record<FileDatabase["type"], FileFormat>> = { flatpg, flatsql };

/** Below the directory: what is ours and not for readers. On the same file system, so that a name can be moved out of it. */
const OWN = ".bucardo";

/** So many bytes are written at once, about. */
const PIECE = 256 * 1024;
const KEYS_AT_ONCE = 500;

/** Of one run of a sync. Their order is that of the numbers. */
export function fileName(sync: string, number: number): string {
  return `bucardo.flatfile.${sync}.${String(number).padStart(10, "0")}.sql`;
}

/** The last one of a sync that is there; 0: there is none. */
async function lastNumber(directory: string, sync: string): Promise<number> {
  const numbers = (await readdir(directory)).flatMap((name) => {
    const number = Number(/(\d+)\.sql$/.exec(name)?.[1] ?? 0);
    return name === fileName(sync, number) ? [number] : [];
  });
  return numbers.reduce((most, number) => Math.max(most, number), 0);
}

/** Why files cannot be written there, or null. */
export async function directoryProblem(directory: string): Promise<string | null> {
  try {
    if (!(await stat(directory)).isDirectory()) return `${directory} is no directory`;
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return reasonOf(error, directory);
  }
}

/** A directory in which each run of a sync that has something leaves one file: written elsewhere, flushed, and then given its name. */
export function openFiles(database: FileDatabase): Sink {
  const { name, type, directory } = database;
  const own = join(directory, OWN);
  return {
    name,
    postgres: FORMATS[type].postgres,
    begin: (run) =>
      onFiles(name, directory, async () => {
        await stat(directory);
        await mkdir(own, { mode: 0o700 }).catch(unlessThere);
        const recordPath = join(own, `${run.sync.id}.record`);
        const place = await recover(name, own, run.sync.id, recordPath);
        // Without a record a sync of this name goes on behind the files of one that was removed.
        const number = 1 + (place === null ? await lastNumber(directory, run.sync.name) : place.number);
        const temporary = `${run.sync.id}.${randomUUID()}.tmp`;
        const file = await open(join(own, temporary), "wx", 0o600);
        return new FileRun(database, run, { place, number }, { own, recordPath, temporary, file });
      }),
  };
}

function unlessThere(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
}

/** Takes away what was not finished. A file that is in the record and has not got its name was never seen: its number is free. */
async function recover(db: string, own: string, syncId: string, recordPath: string): Promise<SinkPlace | null> {
  const left = (await readdir(own)).filter((name) => name.startsWith(syncId) && /\.(tmp|new)$/.test(name));
  let record = await readRecord(recordPath, db);
  if (record !== null && left.includes(record.temporary)) {
    record = { ...record, number: record.number - 1, positions: {}, temporary: "" };
    await writeRecord(recordPath, record);
  }
  for (const name of left) await rm(join(own, name), { force: true });
  return record;
}

type Paths = { readonly own: string; readonly recordPath: string; readonly temporary: string; readonly file: FileHandle };

class FileRun implements SinkRun {
  readonly place: SinkPlace | null;
  readonly #database: FileDatabase;
  readonly #format: FileFormat;
  readonly #run: SinkRunOptions;
  readonly #paths: Paths;
  readonly #number: number;
  #parts: Buffer[] = [];
  #waiting = 0;
  #begun = false;
  #state: "open" | "prepared" | "recorded" | "ended" = "open";

  constructor(
    database: FileDatabase,
    run: SinkRunOptions,
    { place, number }: { readonly place: SinkPlace | null; readonly number: number },
    paths: Paths,
  ) {
    this.#database = database;
    this.#format = FORMATS[database.type];
    this.#run = run;
    this.#paths = paths;
    this.place = place;
    this.#number = number;
  }

  deleteAll(table: SinkTable): Promise<void> {
    return this.#write(this.#format.deleteAll(table));
  }

  deleteWhere(table: SinkTable, conditions: readonly string[]): Promise<void> {
    return this.#write(this.#format.deleteWhere(table, conditions));
  }

  deleteKeys(table: SinkTable): RowTaker {
    const cutter = new RowCutter();
    let keys: Fields[] = [];
    const write = async (least: number) => {
      for (; keys.length >= least; keys = keys.slice(KEYS_AT_ONCE))
        await this.#write(this.#format.deleteKeys(table, keys.slice(0, KEYS_AT_ONCE)));
    };
    return {
      take: async (bytes) => {
        for (const row of cutter.cut(bytes)) keys.push(fieldsOf(row));
        await write(KEYS_AT_ONCE);
      },
      end: () => write(1),
    };
  }

  insertRows(table: SinkTable): RowTaker {
    const { before, row, after } = this.#format.rows(table);
    const cutter = new RowCutter();
    let any = false;
    return {
      take: async (bytes) => {
        if (!any) await this.#write(before);
        any = true;
        await this.#write(
          row === null
            ? bytes
            : cutter
                .cut(bytes)
                .map((text) => row(fieldsOf(text)))
                .join(""),
        );
      },
      end: async () => {
        if (any) await this.#write(after);
      },
    };
  }

  setSequence(sequence: SinkSequence): Promise<void> {
    return this.#write(this.#format.setSequence(sequence));
  }

  async prepare(): Promise<void> {
    await this.#write(this.#format.end);
    await this.#onFiles(async () => {
      await this.#flush();
      await this.#paths.file.sync();
      await this.#paths.file.close();
      this.#state = "prepared";
    });
    await reach("files.prepared");
  }

  async commit(positions: Positions): Promise<SinkPlace> {
    const { own, recordPath, temporary } = this.#paths;
    const { directory, name } = this.#database;
    const path = join(directory, fileName(this.#run.sync.name, this.#number));
    const place = { id: this.place?.id ?? randomUUID(), number: this.#number, positions: { ...this.place?.positions, ...positions } };
    await this.#onFiles(async () => {
      if (await isThere(path)) throw strangerError(name, path);
      this.#state = "recorded";
      await writeRecord(recordPath, { ...place, temporary });
      await reach("files.recorded");
      await rename(join(own, temporary), path).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        throw new BucardoError("run-void", `another run has begun on ${name} meanwhile`, { db: name, cause: error });
      });
      this.#state = "ended";
      await syncDirectory(directory);
    });
    return place;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { own, temporary, file } = this.#paths;
    if (this.#state === "open") await file.close().catch(() => undefined);
    // Once it may be in the record it tells by being there that it has no name: the next run takes it away.
    if (this.#state === "open" || this.#state === "prepared") await rm(join(own, temporary), { force: true }).catch(() => undefined);
    this.#state = "ended";
  }

  async #write(part: string | Buffer): Promise<void> {
    if (!this.#begun) {
      this.#begun = true;
      const { sync, source } = this.#run;
      await this.#write(this.#format.begin({ sync: sync.name, source, number: this.#number, written: new Date() }));
    }
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    this.#parts.push(bytes);
    this.#waiting += bytes.length;
    if (this.#waiting >= PIECE) await this.#onFiles(() => this.#flush());
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#waiting = 0;
    await this.#paths.file.appendFile(bytes);
  }

  #onFiles<T>(work: () => Promise<T>): Promise<T> {
    return onFiles(this.#database.name, this.#database.directory, work);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

function strangerError(db: string, path: string): BucardoError {
  return new BucardoError("file-target", `database "${db}": ${path} is there already, and it is not of this sync's last run`, {
    db,
    advice:
      "Two installations write into one directory, or its record was put back from a backup: give each its own directory, or move the file away.",
  });
}
