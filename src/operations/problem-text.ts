import type { Problem } from "../model/error.ts";

/** `error: A: public.a: what. Remedy.` */
export function problemText({ grade, db, table, what, remedy }: Problem): string {
  const place = [db, table].filter((part) => part !== undefined).join(": ");
  const end = /[.?!]$/.test(what) ? "" : ".";
  return `${grade}: ${place === "" ? "" : `${place}: `}${what}${end}${remedy === "" ? "" : ` ${remedy}`}`;
}
