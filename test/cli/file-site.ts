import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestDatabase } from "../harness/database.ts";
import { loadFile } from "../harness/load-file.ts";

/** A directory of files, and the database they are loaded into: each once, in the order of their names. */
export class Loader {
  readonly directory: string;
  readonly #database: TestDatabase;
  readonly #before: string;
  readonly #loaded = new Set<string>();

  private constructor(directory: string, database: TestDatabase, before: string) {
    this.directory = directory;
    this.#database = database;
    this.#before = before;
  }

  /** `before`: said to the database first. */
  static async make(directory: string, database: TestDatabase, before = ""): Promise<Loader> {
    await mkdir(directory, { recursive: true });
    return new Loader(directory, database, before);
  }

  /** Those that a person sees. */
  async files(): Promise<string[]> {
    return (await readdir(this.directory)).filter((name) => !name.startsWith(".")).toSorted();
  }

  text(name: string): Promise<string> {
    return readFile(join(this.directory, name), "utf8");
  }

  /** Loads what is new; twice where that is asked for, which must make no difference. Returns their names. */
  async load({ twice = false } = {}): Promise<string[]> {
    const names = (await this.files()).filter((name) => !this.#loaded.has(name));
    for (const name of names) {
      const text = await this.text(name);
      for (let time = 0; time < (twice ? 2 : 1); time++) await loadFile(this.#database, text, this.#before);
      this.#loaded.add(name);
    }
    return names;
  }
}
