import { anySignal } from "../base/abort.ts";
import type { Served } from "../operations/serving.ts";
import { call } from "./call.ts";
import { HttpFailure } from "./failure.ts";
import { tokenNeeded } from "./guard.ts";
import { limits } from "./limits.ts";
import { offers, refusalOf, pathOf, type Offer } from "./offer.ts";
import { Gate } from "./rate.ts";
import { json, type Ask, type Reply } from "./request.ts";
import { operations } from "../operations/registry.ts";
import type { TurnBoard } from "./turn-board.ts";

/** The operations as routes. They end when whoever asked is gone, as with Ctrl-C; a cutover does not: only the end of the server undoes it. */
export class Api implements AsyncDisposable {
  readonly #served: Served;
  readonly #board: TurnBoard;
  readonly #offers = offers();
  readonly #gates = { reads: new Gate(limits.working, limits.waiting), writes: new Gate(limits.working, limits.waiting) };
  readonly #end = new AbortController();
  readonly #working = new Set<Promise<unknown>>();

  constructor(served: Served, board: TurnBoard) {
    this.#served = served;
    this.#board = board;
  }

  /** Errors: http-unknown, http-refused, http-token, http-busy, those of the operation. */
  async answer(ask: Ask): Promise<Reply> {
    const offer = this.#offers.get(ask.path);
    if (offer === undefined) throw notOffered(ask.path);
    if (!offer.methods.includes(ask.method))
      throw new HttpFailure(405, "http-refused", "What changes something is asked by POST.", {
        headers: { allow: offer.methods.join(", ") },
      });
    if (offer.token && !ask.authorized) throw tokenNeeded("This operation needs the token.");
    const { input, confirm } = await inputOf(offer, ask);
    const leave = await this.#gates[offer.operation.effect].enter();
    if (leave === null) throw new HttpFailure(503, "http-busy", "Too many operations are waiting.", { headers: { "retry-after": "2" } });
    const work = this.#run(offer, ask, input, confirm).finally(leave);
    this.#working.add(work);
    const forget = (): void => void this.#working.delete(work);
    work.then(forget, forget);
    return json(200, { ok: true, output: await work }, ask.authorized ? new Set() : offer.hide);
  }

  async #run(offer: Offer, ask: Ask, input: Readonly<Record<string, unknown>>, confirm: string | null): Promise<unknown> {
    using signal = anySignal(this.#end.signal, offer.confirms ? undefined : ask.signal);
    signal.throwIfAborted();
    const manner = { confirm, dryrun: ask.query.get("dryrun") === "true", force: ask.query.get("force") === "true", signal };
    if (!offer.confirms) return await call(this.#served, offer, input, manner);
    const turn = this.#board.begin(offer.operation.name[1] === "cutover" ? "cutover" : "switchback", input["rehearse"] === true);
    try {
      const output = await call(this.#served, offer, input, { ...manner, onEvent: turn.event, onLine: turn.line });
      turn.end(output);
      return output;
    } catch (error) {
      turn.fail(error);
      throw error;
    }
  }

  /** Operations that are going on are told to stop, and waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new HttpFailure(503, "interrupted", "The server ends."));
    await Promise.allSettled(this.#working);
  }
}

async function inputOf({ operation, confirms }: Offer, ask: Ask): Promise<{ input: Record<string, unknown>; confirm: string | null }> {
  if (ask.method === "GET") return { input: fromQuery(operation.input.shape, ask.query), confirm: null };
  const { confirm, ...input } = await ask.body();
  if (confirm === undefined) return { input, confirm: null };
  if (!confirms || typeof confirm !== "string") return { input: { ...input, confirm }, confirm: null };
  return { input, confirm };
}

/** `?names=a&names=b` is a list; a single one too, where the operation takes a list and nothing else. */
function fromQuery(shape: Readonly<Record<string, unknown>>, query: URLSearchParams): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    input[name] = values.length > 1 || takesList(shape[name]) ? values : values[0];
  }
  return input;
}

function takesList(schema: unknown): boolean {
  let inner = schema as { def?: { type?: string; innerType?: unknown } } | undefined;
  while (inner?.def?.innerType !== undefined) inner = inner.def.innerType as typeof inner;
  return inner?.def?.type === "array";
}

function notOffered(path: string): HttpFailure {
  const operation = operations.find((each) => pathOf(each) === path);
  const why = operation === undefined ? null : refusalOf(operation);
  if (why === null) return new HttpFailure(404, "http-unknown", "There is no such operation.");
  return new HttpFailure(403, "http-refused", `\`${operation?.name.join(" ")}\` is for the command line only: ${why}.`);
}
