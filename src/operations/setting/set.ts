import { z } from "zod";
import { nearest } from "../../catalog/nearest.ts";
import { sealPassword } from "../../config/secret.ts";
import { declarationOf, isSettingName, legacySettings, parseSetting, settings, syncSettings } from "../../config/setting.ts";
import { readSync } from "../../control/sync.ts";
import { readSyncSettings, writeSyncSetting } from "../../control/sync-setting.ts";
import { deleteSetting, readSettings, writeSetting } from "../../control/setting.ts";
import { BucardoError, type Problem } from "../../model/error.ts";
import { change } from "../change.ts";
import { keyfileOf } from "../connect-options.ts";
import type { Context } from "../context.ts";
import { key, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { reporter, stopOnProblems, type Report } from "../report.ts";

export const set = defineOperation({
  name: ["set"],
  synonyms: [
    ["config", "set"],
    ["set", "config"],
  ],
  summary: "Change settings",
  description:
    "NAME=VALUE, several at once. Values are checked, and a living daemon takes them over by itself. NAME=default goes back to the default. " +
    "With sync=SYNC for that sync only, where a setting allows it. Passwords and webhooks are sealed with the key file before they are stored; " +
    "env:NAME stores only the name of an environment variable of the daemon. Settings of versions 4 and 5 without meaning here are accepted and listed as such.",
  group: "settings",
  effect: "writes",
  http: { refused: "settings say who may come in, and where files are" },
  control: "required",
  otherPairs: "word",
  input: z.object({
    pairs: words({ about: "What to change.", value: "NAME=VALUE", min: 1 }),
    sync: key(text.optional(), { about: "Only for this sync.", value: "SYNC" }),
  }),
  output: z.object({ messages: z.array(z.string()), changed: z.record(z.string(), z.string().nullable()) }),
  examples: [
    { command: "bucardo set log_level=debug purge_interval='2 minutes'", about: "Two at once." },
    { command: "bucardo set sync=pepper alert_lag='2 minutes'", about: "For one sync." },
  ],
  async run({ pairs, sync }, context) {
    const problems: Problem[] = [];
    const wrong = reporter(problems);
    const wanted = pairs.flatMap((pair) => readPair(pair, wrong) ?? []);
    if (sync !== undefined) for (const { name } of wanted) refuseGeneral(name, wrong);
    stopOnProblems(problems, "bad-value", "Cannot change settings");
    if (sync !== undefined) return await setOfSync(sync, wanted, context);
    const { messages } = await change(context, async (control) => {
      const before = await readSettings(control);
      const lines: string[] = [];
      for (const { name, value } of wanted) {
        if (value === null) await deleteSetting(control, name);
        else await writeSetting(control, name, await sealed(name, value, context));
        lines.push(lineOf(name, before[name] ?? null, value));
      }
      return { messages: lines };
    });
    return { messages, changed: Object.fromEntries(wanted.map(({ name, value }) => [name, isSecret(name) ? null : value])) };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});

type Pair = { readonly name: string; readonly value: string | null };

function readPair(pair: string, wrong: Report): Pair | null {
  const match = /^([A-Za-z][\w-]*)\s*[=:](.*)$/s.exec(pair);
  if (match === null) {
    wrong(`"${pair}" is not of the form NAME=VALUE`, "");
    return null;
  }
  const name = (match[1] ?? "").toLowerCase().replaceAll("-", "_");
  const value = (match[2] ?? "").trim();
  if (legacySettings.includes(name)) return { name, value };
  else if (!isSettingName(name)) {
    const near = nearest(name, Object.keys(settings));
    wrong(`there is no setting "${name}"`, near === null ? "`bucardo show all` lists them." : `Did you mean ${near}?`);
  } else if (value.toLowerCase() === "default") return { name, value: null };
  else {
    try {
      parseSetting(name, value);
      return { name, value };
    } catch (error) {
      if (!(error instanceof BucardoError)) throw error;
      wrong(error.message, error.advice);
    }
  }
  return null;
}

function refuseGeneral(name: string, wrong: Report): void {
  if (!syncSettings.some((each) => each === name))
    wrong(`${name} is no setting of a single sync`, `A sync may have its own: ${syncSettings.join(", ")}.`);
}

async function setOfSync(
  name: string,
  wanted: readonly Pair[],
  context: Context,
): Promise<{ messages: string[]; changed: Record<string, string | null> }> {
  const { messages } = await change(context, async (control) => {
    const sync = await readSync(control, name);
    const before = (await readSyncSettings(control)).get(sync.id) ?? {};
    const lines: string[] = [];
    for (const pair of wanted) {
      await writeSyncSetting(control, sync.id, pair.name, pair.value);
      lines.push(`Sync "${sync.name}": ${lineOf(pair.name, before[pair.name] ?? null, pair.value)}`);
    }
    return { messages: lines };
  });
  return { messages, changed: Object.fromEntries(wanted.map((pair) => [pair.name, pair.value])) };
}

function isSecret(name: string): boolean {
  return isSettingName(name) && declarationOf(name).secret === true;
}

/** What is stored of a secret: never its clear text. A dry run makes no key file. */
async function sealed(name: string, value: string, { config, env, flags }: Context): Promise<string> {
  if (!isSecret(name) || value === "" || value.startsWith("env:") || flags.dryrun) return value;
  return await sealPassword(value, keyfileOf(config, env));
}

function lineOf(name: string, before: string | null, after: string | null): string {
  const legacy = legacySettings.includes(name) ? "  (without meaning here)" : "";
  if (isSecret(name) && after !== null) return after === "" ? `Set "${name}" to nothing` : `Set "${name}"`;
  if (before === after) return `No change needed for ${name}${legacy}`;
  return after === null ? `${name} is back to its default` : `Set "${name}" to "${after}"${legacy}`;
}
