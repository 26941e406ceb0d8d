import { displayName } from "../model/name.ts";
import type { RunProgress } from "../model/run.ts";
import type { Fetched } from "./fetch.ts";

/** Tells how far a run has come. */
export type Progress = {
  expect(rows: number | null): void;
  step(step: RunProgress["step"], table: { schema: string; name: string } | null): void;
  moved(bytes: number, rows: number): void;
  fetched(done: Pick<Fetched, "rows" | "bytes">): void;
};

export function progressOf(onProgress: (progress: RunProgress) => void): Progress {
  let state: RunProgress = { step: "taking", table: null, rowsDone: 0, rowsExpected: null, bytesDone: 0 };
  let bytesBefore = 0;
  let rowsBefore = 0;
  const change = (part: Partial<RunProgress>) => onProgress((state = { ...state, ...part }));
  return {
    expect: (rows) => change({ rowsExpected: rows }),
    step: (step, table) => change({ step, table: table === null ? null : displayName(table) }),
    moved: (bytes, rows) => change({ bytesDone: bytesBefore + bytes, rowsDone: rowsBefore + rows }),
    fetched: (done) => {
      bytesBefore += done.bytes;
      rowsBefore += done.rows;
      change({ rowsDone: rowsBefore, bytesDone: bytesBefore });
    },
  };
}
