import type { Winner } from "./winner.ts";

/** What a piece of code has asked for, by setting it in its input or by returning it. */
export type Outcome = {
  readonly message: string | null;
  readonly warning: string | null;
  /** Ends the run as failed, with this text. */
  readonly error: string | null;
  /** It did nothing here: the next code is asked. */
  readonly skip: boolean;
  /** No further code of this point is called in this run. */
  readonly lastcode: boolean;
  /** The run ends here, nothing of it stays, and it counts as done. */
  readonly endsync: boolean;
  /** The run is thrown away and begun again. */
  readonly redo: boolean;
  /** exception: the table is tried again. */
  readonly retry: boolean;
  /** conflict: who wins. */
  readonly winner: Winner | null;
};

const WINNERS = ["tablewinner", "tablewinner_always", "syncwinner", "syncwinner_always"] as const;

/** Set, in the sense of version 5: anything but nothing, false, 0 and the empty text. */
function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== "" && value !== "0";
}

function textOf(value: unknown): string | null {
  if (!isSet(value)) return null;
  return typeof value === "string" ? value : value instanceof Error ? value.message : JSON.stringify(value);
}

/** Pure. `output`: what came back of the input, with what was returned laid over it. */
export function readOutcome(output: Readonly<Record<string, unknown>>): Outcome {
  const named = WINNERS.find((word) => isSet(output[word]));
  return {
    message: textOf(output["message"]),
    warning: textOf(output["warning"]),
    error: textOf(output["error"]),
    // nextcode: the word of version 4.
    skip: isSet(output["skip"]) || isSet(output["nextcode"]),
    lastcode: isSet(output["lastcode"]),
    endsync: isSet(output["endsync"]),
    redo: isSet(output["redo"]),
    retry: isSet(output["retry"]),
    winner: named === undefined ? null : { how: named, databases: databasesOf(output[named]) },
  };
}

/** `A`, `A B`, `A, B` or a list. */
function databasesOf(value: unknown): string[] {
  const words = Array.isArray(value) ? value.map(String) : String(value).split(/[\s,]+/);
  return words.filter((word) => word !== "");
}
