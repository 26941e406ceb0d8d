import { z } from "zod";
import { nearest } from "../../catalog/nearest.ts";
import { isSettingName, legacySettings, parseSetting, settings } from "../../config/setting.ts";
import { deleteSetting, readSettings, writeSetting } from "../../control/setting.ts";
import { BucardoError, type Problem } from "../../model/error.ts";
import { change } from "../change.ts";
import { words } from "../input.ts";
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
    "Settings of versions 4 and 5 without meaning here are accepted and listed as such.",
  group: "settings",
  effect: "writes",
  http: { refused: "settings say who may come in, and where files are" },
  control: "required",
  otherPairs: "word",
  input: z.object({ pairs: words({ about: "What to change.", value: "NAME=VALUE", min: 1 }) }),
  output: z.object({ messages: z.array(z.string()), changed: z.record(z.string(), z.string().nullable()) }),
  examples: [{ command: "bucardo set log_level=debug purge_interval='2 minutes'", about: "Two at once." }],
  async run({ pairs }, context) {
    const problems: Problem[] = [];
    const wanted = pairs.flatMap((pair) => readPair(pair, reporter(problems)) ?? []);
    stopOnProblems(problems, "bad-value", "Cannot change settings");
    const { messages } = await change(context, async (control) => {
      const before = await readSettings(control);
      const lines: string[] = [];
      for (const { name, value } of wanted) {
        if (value === null) await deleteSetting(control, name);
        else await writeSetting(control, name, value);
        lines.push(lineOf(name, before[name] ?? null, value));
      }
      return { messages: lines };
    });
    return { messages, changed: Object.fromEntries(wanted.map(({ name, value }) => [name, value])) };
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
  if (name === "email_auth_pass") wrong("passwords are not kept in settings", "No mail is sent in this version.");
  else if (legacySettings.includes(name)) return { name, value };
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

function lineOf(name: string, before: string | null, after: string | null): string {
  const legacy = legacySettings.includes(name) ? "  (without meaning here)" : "";
  if (before === after) return `No change needed for ${name}${legacy}`;
  return after === null ? `${name} is back to its default` : `Set "${name}" to "${after}"${legacy}`;
}
