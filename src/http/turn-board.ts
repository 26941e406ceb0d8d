import type { CutoverEvent } from "../migrate/cutover.ts";
import { errorView } from "./failure.ts";
import type { TurnView } from "./page-types.ts";

const LINES = 200;

type Report = Pick<TurnView, "outcome" | "gates" | "timings" | "downtimeMs"> & { readonly why: TurnView["error"] };

/** What an attempt tells while it goes on, and how it ended. */
export type TurnNotes = {
  readonly event: (event: { readonly kind: string }) => void;
  readonly line: (line: string) => void;
  readonly end: (report: unknown) => void;
  readonly fail: (error: unknown) => void;
};

/** The cutover, switchback or rehearsal that this server does or last did, for everybody who looks. */
export class TurnBoard {
  #turn: TurnView | null = null;
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get turn(): TurnView | null {
    return this.#turn;
  }

  begin(direction: TurnView["direction"], rehearsal: boolean): TurnNotes {
    const began = Date.now();
    let mine: TurnView = {
      direction,
      rehearsal,
      began: new Date(began).toISOString(),
      ended: null,
      gates: [],
      timings: [],
      lines: [],
      outcome: null,
      downtimeMs: null,
      error: null,
    };
    const put = (change: Partial<TurnView>): void => {
      mine = { ...mine, ...change };
      this.#turn = mine;
      this.#changed();
    };
    put({});
    return {
      event: (of) => {
        const event = of as CutoverEvent;
        if (event.kind === "gate") put({ gates: [...mine.gates, event.gate] });
        if (event.kind === "step-done") {
          const timing = {
            step: event.step,
            at: Math.round(Date.now() - began - event.ms),
            ms: Math.round(event.ms),
            detail: event.detail,
          };
          put({ timings: [...mine.timings, timing] });
        }
      },
      line: (line) => put({ lines: [...mine.lines, line].slice(-LINES) }),
      end: (report) => {
        const { outcome, gates, downtimeMs, why } = report as Report;
        put({ ended: new Date().toISOString(), outcome, gates, downtimeMs, error: why });
      },
      fail: (error) => put({ ended: new Date().toISOString(), outcome: "failed", error: errorView(error) }),
    };
  }
}
