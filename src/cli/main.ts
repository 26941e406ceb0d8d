import { homedir } from "node:os";
import { loadConfig, type OptionValue } from "../config/load.ts";
import { globalOptions } from "../config/options.ts";
import { BucardoError } from "../model/error.ts";
import { keysOf } from "../operations/fields.ts";
import { openContext, type Flags } from "../operations/context.ts";
import { spell, type Operation } from "../operations/operation.ts";
import { operations } from "../operations/registry.ts";
import type { ServeHttp } from "../operations/serving.ts";
import { checkInput } from "../operations/check-input.ts";
import { operationHelp, overview, usageLine } from "./help.ts";
import { helpOperation, helpWidth } from "./help-operation.ts";
import { parse } from "./parse.ts";
import { errorJson, errorLines, exitCodeOf } from "./report-error.ts";
import { signalOfProcess } from "./signals.ts";
import { openTerminal, type Streams } from "./terminal.ts";
import { programVersion } from "./version.ts";
import { wrap } from "./wrap.ts";

/** One call of the program. What is left out is the process's own. */
export type Call = Partial<Streams> & {
  /** `bucardo` or `bucardo_ctl`; only for what is printed. */
  readonly program: string;
  readonly argv: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
};

/** Runs one command line; resolves to the exit code and never rejects. */
export async function main(call: Call): Promise<number> {
  const streams: Streams = {
    stdin: call.stdin ?? process.stdin,
    stdout: call.stdout ?? process.stdout,
    stderr: call.stderr ?? process.stderr,
  };
  const env = call.env ?? process.env;
  // Before the line is understood: what an error report needs of it.
  const wantsJson = call.argv.includes("--json");
  const debug = Number(call.argv.includes("--debug") || (env.BUCARDO_DEBUG ?? "") !== "");
  try {
    return await execute(call, streams, env);
  } catch (error) {
    if (wantsJson) streams.stderr.write(`${JSON.stringify(errorJson(error))}\n`);
    else for (const line of errorLines(error, { debug, program: call.program })) streams.stderr.write(`${line}\n`);
    return exitCodeOf(error);
  }
}

async function execute(call: Call, streams: Streams, env: NodeJS.ProcessEnv): Promise<number> {
  const { program } = call;
  const all: readonly Operation[] = [...operations, helpOperation(operations, globalOptions)];
  const { operation, input, options } = parse(call.argv, { program, operations: all, options: globalOptions });
  const say = (text: string): void => void streams.stdout.write(`${text}\n`);
  if (options["version"] === true || options["help"] === true) {
    const help = operation === null ? overview(program, all, globalOptions) : operationHelp(program, operation);
    say(options["version"] === true ? `${program} version ${programVersion()}` : wrap(help, helpWidth(streams.stdout.columns)));
    return 0;
  }
  if (operation === null) {
    streams.stderr.write(`${usageLine(program)}\n`);
    return 1;
  }

  const checked = checkInput(operation, input, program);
  const cwd = call.cwd ?? process.cwd();
  const config = loadConfig({ argvOptions: options, env, cwd, home: env.HOME ?? homedir() });
  for (const warning of config.warnings) streams.stderr.write(`WARNING: ${warning}\n`);
  const flags = flagsOf(config.options);
  if (flags.dryrun && operation.rehearsable === false)
    throw new BucardoError("usage", `\`${spell(operation)}\` has no dry run.`, { advice: "Leave --dryrun out. Nothing was done." });
  const idle = keysOf(operation).filter((each) => each.legacy && input[each.name] !== undefined);
  if (idle.length > 0 && flags.quiet === 0)
    streams.stderr.write(
      `Note: without meaning here: ${idle.map((each) => each.name).join(", ")} (\`${program} help ${spell(operation)}\`)\n`,
    );
  const silent = flags.quiet > (operation.effect === "writes" || operation.group === "help" ? 0 : 1) && !flags.json;
  using signals = signalOfProcess(call.signal);
  const { signal } = signals;
  using io = openTerminal(streams, { verbose: flags.verbose, silent, signal });
  await using context = openContext({ program, version: programVersion(), config, flags, io, env, cwd, signal, serveHttp });
  const output = await operation.run(checked, context);
  if (flags.json && operation.streams !== true) say(JSON.stringify(output, null, 2));
  else {
    operation.print(output, io, context);
    if (flags.dryrun && operation.effect === "writes") io.out("Dry run: nothing was changed.");
  }
  return operation.exit?.(output) ?? 0;
}

/** Loaded when it is needed: most commands serve nothing. */
const serveHttp: ServeHttp = async (...given) => (await import("../http/place.ts")).serveHttp(...given);

/** From the line, the environment and the rc file, as the configuration has put them together. */
function flagsOf(options: Readonly<Record<string, OptionValue>>): Flags {
  const is = (name: string): boolean => options[name] === true;
  return {
    batch: is("batch"),
    dryrun: is("dryrun"),
    confirm: is("confirm"),
    force: is("force"),
    json: is("json"),
    quiet: Number(options["quiet"] ?? 0),
    verbose: Math.max(Number(options["verbose"] ?? 0), is("vv") ? 2 : 0, is("vvv") ? 3 : 0, is("vvvv") ? 4 : 0),
    debug: Number(options["debug"] ?? 0),
  };
}
