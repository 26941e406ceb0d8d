import { globalOptions } from "../config/options.ts";
import { legacySettings, settings } from "../config/setting.ts";
import { metrics } from "../http/metrics.ts";
import { catalogue, type CatalogueEntry } from "../model/error-catalogue.ts";
import { retryRules } from "../model/retry.ts";
import { keysOf, wordsOf } from "../operations/fields.ts";
import { spell, type Operation } from "../operations/operation.ts";
import { operations } from "../operations/registry.ts";
import { GROUPS, keyAbout, keySpelling, optionSpelling, synopsis } from "./help.ts";
import { helpOperation } from "./help-operation.ts";

/** A page of the documentation that is made from declarations. `path` is relative to the root of the repository. */
export type Page = { readonly path: string; readonly text: string };

/** Every generated page; scripts/generate-docs.mjs writes or checks them. */
export function referencePages(): Page[] {
  return [
    { path: "docs/commands.md", text: commandsPage([...operations, helpOperation(operations, globalOptions)]) },
    { path: "docs/errors.md", text: errorsPage() },
    { path: "docs/settings.md", text: settingsPage() },
    { path: "docs/metrics.md", text: metricsPage() },
  ];
}

const NOTE = "<!-- Generated from the declarations in src/ by `npm run docs`. Do not edit. -->";

function commandsPage(all: readonly Operation[]): string {
  const lines = [
    "# Commands",
    "",
    NOTE,
    "",
    "`bucardo [options] VERB [NOUN] [NAME...] [KEY=VALUE...]`, also under the name `bucardo_ctl`. Keys may be written `key=value`, `key:value`, `--key value` " +
      "and `--key=value`; options may stand anywhere and be abbreviated. Nouns have their plurals and the older words (`herd` for relgroup, `database` for db), " +
      "verbs some synonyms (`delete` for remove, `l` for list). Every reading command prints JSON with `--json`; errors are then JSON on standard error.",
    "",
    "Exit codes: 0 done; 1 an error, which is explained on standard error; others are named at the command.",
  ];
  for (const [group, title] of GROUPS) {
    const members = all.filter((operation) => operation.group === group);
    if (members.length > 0) lines.push("", `## ${title}`, ...members.flatMap(commandSection));
  }
  lines.push("", "## Options", "", ...globalOptions.map((option) => item(optionSpelling(option), optionText(option))));
  return ended(lines);
}

function commandSection(operation: Operation): string[] {
  const lines = ["", `### ${spell(operation)}`, "", `\`${synopsis(operation)}\``, "", `${operation.summary}.`];
  if (operation.description !== "") lines.push("", operation.description);
  if (operation.synonyms !== undefined) lines.push("", `Also: ${operation.synonyms.map((words) => `\`${words.join(" ")}\``).join(", ")}.`);
  const named = wordsOf(operation);
  const own = keysOf(operation).filter((each) => !each.legacy);
  const legacy = keysOf(operation).filter((each) => each.legacy);
  if (named !== null || own.length > 0) lines.push("");
  if (named !== null) lines.push(item(named.value ?? named.name, named.about));
  lines.push(...own.map((each) => item(keySpelling(each), keyAbout(each))));
  if (legacy.length > 0)
    lines.push("", `Accepted for older scripts, kept and listed, without effect: ${legacy.map((each) => `\`${each.name}\``).join(", ")}.`);
  if (operation.examples.length > 0)
    lines.push("", "```sh", ...operation.examples.flatMap(({ command, about }) => [`# ${about}`, command]), "```");
  const codes = Object.entries(operation.exitCodes ?? {});
  if (codes.length > 0) lines.push("", "Exit codes:", "", ...codes.map(([code, meaning]) => item(code, meaning)));
  return lines;
}

function optionText({ help, env, default: initial }: (typeof globalOptions)[number]): string {
  const more = [initial === undefined ? null : `default ${initial}`, env === undefined ? null : `environment: \`${env}\``].filter(
    (part) => part !== null,
  );
  return more.length === 0 ? help : `${help} (${more.join("; ")})`;
}

const RETRY: Readonly<Record<CatalogueEntry["retry"], string>> = {
  never: "A run that meets it stops its sync until something is changed.",
  backoff: "A run that meets it is tried again, for ever, with growing pauses.",
  now: "A run that meets it is repeated at once; nothing is wrong.",
};

function errorsPage(): string {
  const lines = [
    "# Errors",
    "",
    NOTE,
    "",
    "Every error has a code. It stands in the JSON of `--json`, in the log and in the history of runs.",
    "",
    "## What is tried again",
    "",
    "All of it, with its limits; the settings are in [settings](settings.md), the class of each error is named below. Pauses are drawn between their half and " +
      "their whole, so that many targets of a server that comes back do not come all at once.",
    "",
    ...retryRules.map(({ what, how, until }) => `- **${what}**: ${how}. ${until.charAt(0).toUpperCase()}${until.slice(1)}.`),
  ];
  for (const [code, entry] of Object.entries(catalogue) as [string, CatalogueEntry][]) {
    lines.push(
      "",
      `## ${code}`,
      "",
      entry.meaning,
      "",
      `What to do: ${entry.advice}`,
      "",
      `${RETRY[entry.retry]} Exit code ${entry.exit}.`,
    );
  }
  return ended(lines);
}

function settingsPage(): string {
  const lines = [
    "# Settings",
    "",
    NOTE,
    "",
    "`bucardo set NAME=VALUE` changes one for the whole installation, `bucardo show` lists them. The same names in an rc file (`./.bucardorc`, `~/.bucardorc`, " +
      "`/etc/bucardorc`; the first that exists) override it for the process that reads the file. Times are written `90` (seconds), `250 ms`, `2 minutes`; sizes `500 MB`, `20 GB`.",
    "",
    ...Object.entries(settings).map(([name, { default: initial, meaning }]) =>
      item(name, `${meaning} Default: ${initial === "" ? "nothing" : `\`${initial}\``}.`),
    ),
    "",
    "## Of versions 4 and 5, without meaning here",
    "",
    "Accepted, kept, and listed as such:",
    "",
    `${legacySettings.map((name) => `\`${name}\``).join(", ")}.`,
  ];
  return ended(lines);
}

function metricsPage(): string {
  return ended([
    "# Metrics",
    "",
    NOTE,
    "",
    "What `/metrics` of [the daemon's HTTP server](http.md) gives to Prometheus. Labels are names of the configuration (`sync`, `target`, `db`) or one of a few " +
      "words, never a table, a key or a value. Counters begin at zero with the daemon.",
    "",
    ...metrics.map(({ name, type, labels, help }) =>
      item(name, `${type}${labels.length === 0 ? "" : ` by ${labels.map((label) => `\`${label}\``).join(", ")}`}. ${help}`),
    ),
  ]);
}

function item(name: string, text: string): string {
  return `- \`${name}\`: ${text}`;
}

function ended(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
