import type { Problem } from "../model/error.ts";

/** One thing that a plan found. `stop`: the move would fail or lose something; `warning`: it goes, and this is different or takes care; `note`: good to know. */
export type Finding = {
  readonly grade: "stop" | "warning" | "note";
  /** What it is about: a table, a setting, a role. */
  readonly what: string;
  /** What to do, a statement where there is one; empty when nothing. */
  readonly remedy: string;
};

export const stop = (what: string, remedy: string): Finding => ({ grade: "stop", what, remedy });
export const warning = (what: string, remedy: string): Finding => ({ grade: "warning", what, remedy });
export const note = (what: string, remedy = ""): Finding => ({ grade: "note", what, remedy });

export function findingOf({ grade, db, table, what, remedy }: Problem): Finding {
  const place = [db, table].filter((part) => part !== undefined).join(": ");
  return { grade: grade === "error" ? "stop" : "warning", what: place === "" ? what : `${place}: ${what}`, remedy };
}
