import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "../harness/wait.ts";
import { startDaemon } from "../cli/daemon.ts";
import { openSite, type Site, type SiteOptions } from "../cli/site.ts";

export type CodeSite = Site & {
  /** Writes a file into the home. */
  write(file: string, text: string): Promise<void>;
  /** `add customcode NAME whenrun=.. src_code=FILE keys`, with the text written to a file first. */
  add(name: string, whenrun: string, text: string, keys?: string): Promise<void>;
  /** Removes all custom code. */
  forget(): Promise<void>;
  /** Kicks the sync s and waits; its exit code and what it said. */
  kick(): Promise<{ code: number; text: string }>;
  readonly log: readonly string[];
};

/** A sync s between the first two databases, with a daemon; nothing runs but what is kicked. */
export async function openCodeSite(
  options: SiteOptions,
  sync: string,
  overrides: Readonly<Record<string, string>> = {},
): Promise<CodeSite> {
  const site = await openSite(options);
  try {
    for (const index of options.majors.keys()) await site.ok(`add db ${"ABCD"[index]!} $${"ABCD"[index]!}`);
    await site.ok(`add sync s ${sync} autokick=off`);
    const daemon = await startDaemon(site, overrides);
    const write = (file: string, text: string) => writeFile(join(site.home, file), text);
    return {
      ...site,
      log: daemon.log.lines,
      write,
      async add(name, whenrun, text, keys = "sync=s") {
        const file = /language=sql|db=/.test(keys) ? `${name}.sql` : `${name}.js`;
        await write(file, text);
        await site.ok(`add customcode ${name} whenrun=${whenrun} src_code=${file} ${keys}`);
      },
      forget: async () => void (await site.ok("remove customcode all")),
      async kick() {
        const { code, out, err } = await site.run("kick s 0");
        return { code, text: `${out}${err}` };
      },
      async [Symbol.asyncDispose]() {
        await daemon[Symbol.asyncDispose]();
        await site[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await site[Symbol.asyncDispose]();
    throw error;
  }
}

/** Waits for a line of the daemon's log. */
export function logged(site: CodeSite, pattern: RegExp): Promise<string> {
  return waitFor(() => Promise.resolve(site.log.find((line) => pattern.test(line)) ?? null), { what: `the log to say ${pattern}` });
}
