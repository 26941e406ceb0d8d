import { BucardoError } from "../model/error.ts";
import { checkInput } from "../operations/check-input.ts";
import { openContext } from "../operations/context.ts";
import { findKeyExactly, wordsOf } from "../operations/fields.ts";
import type { Io } from "../operations/io.ts";
import { spell, type Operation } from "../operations/operation.ts";
import type { Served } from "../operations/serving.ts";
import { HttpFailure } from "./failure.ts";
import type { Offer } from "./offer.ts";

/** How an operation is called, beside its input. */
export type Manner = {
  /** What the person typed where a name is asked for; null: nothing, so it is declined. */
  readonly confirm: string | null;
  readonly dryrun: boolean;
  readonly force: boolean;
  readonly signal: AbortSignal;
  /** What happens meanwhile. */
  readonly onEvent?: (event: { readonly kind: string }) => void;
  readonly onLine?: (line: string) => void;
};

/**
 * Calls an operation just as the command line does: the same checks, sessions of its own, nothing asked but what `confirm` answers. Errors: those of the
 * operation; http-refused for keys that only the command line takes.
 */
export async function call(
  served: Served,
  { operation, names }: Offer,
  raw: Readonly<Record<string, unknown>>,
  manner: Manner,
): Promise<unknown> {
  for (const name of Object.keys(raw)) {
    if (names.includes(name)) continue;
    if (findKeyExactly(operation, name) !== null)
      throw new HttpFailure(400, "http-refused", `\`${name}\` is taken on the command line only.`);
    throw new BucardoError("bad-value", `\`${spell(operation)}\` has no key "${name.slice(0, 100)}".`, {
      advice: names.length === 0 ? "It takes none." : `It takes: ${names.join(", ")}.`,
    });
  }
  checkWords(operation, raw);
  if (manner.dryrun && operation.rehearsable === false) throw new BucardoError("usage", `\`${spell(operation)}\` has no dry run.`);
  const input = checkInput(operation, raw, served.program);
  const { program, version, config, cwd } = served;
  await using context = openContext({
    program,
    version,
    config,
    cwd,
    env: environmentOf(served),
    flags: {
      batch: manner.confirm === null,
      dryrun: manner.dryrun,
      confirm: false,
      force: manner.force,
      json: false,
      quiet: 0,
      verbose: 0,
      debug: 0,
    },
    io: ioOf(manner),
    signal: manner.signal,
    serveHttp: null,
  });
  return await operation.run(input, context);
}

/** How many words there are is a matter of the grammar, which nobody has gone through here. */
function checkWords(operation: Operation, raw: Readonly<Record<string, unknown>>): void {
  const field = wordsOf(operation);
  if (field === null) return;
  const given = raw[field.name] ?? [];
  const { min, max } = field.words ?? { min: 0, max: 0 };
  if (Array.isArray(given) && (given.length < min || given.length > max))
    throw new BucardoError(
      "usage",
      `\`${field.name}\` takes ${min === max ? min : max === Infinity ? `at least ${min}` : `${min} to ${max}`} words.`,
      {
        advice: field.about,
      },
    );
}

/** The move that is served is the one that operations mean. */
export function environmentOf({ env, move }: Pick<Served, "env" | "move">): NodeJS.ProcessEnv {
  return move === null ? env : { ...env, BUCARDO_FROM: move.from, BUCARDO_TO: move.to };
}

function ioOf({ confirm, onEvent, onLine }: Manner): Io {
  const line = onLine ?? (() => undefined);
  return {
    interactive: confirm !== null,
    isTerminal: false,
    width: 100,
    verbose: 0,
    out: line,
    write: () => undefined,
    err: line,
    ask: () => Promise.resolve(confirm),
    ...(onEvent !== undefined && { event: onEvent }),
  };
}
