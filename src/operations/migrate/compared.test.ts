import { expect, test } from "vitest";
import { comparedLines, type ComparedOutput } from "./compared.ts";

const table = (name: string, change: Partial<ComparedOutput> = {}): ComparedOutput => ({
  table: name,
  handling: "follow",
  key: ["id"],
  bytes: 8192,
  copied: 3,
  compared: { rows: 1200, hash: "00c0ffee00c0ffee", onTheWay: 0, at: new Date(0) },
  ...change,
});

test("each table has a line with its rows and their hash; where there are many, the largest", () => {
  const tables = [
    table("public.accounts"),
    table("public.t", { compared: { rows: 1, hash: "00000000000000ff", onTheWay: 1, at: new Date(0) } }),
    table("public.log", { handling: "window", key: null, compared: null }),
    table("public.last"),
  ];
  expect(comparedLines(tables, 3)).toEqual([
    "3 tables were compared and equal: 2,401 rows.",
    "  public.accounts    8.0 kB  1,200 rows, hash 00c0ffee00c0ffee",
    "  public.t           8.0 kB  1 row, hash 00000000000000ff (1 on the way)",
    "  public.log         8.0 kB  copied at the cutover",
    "  and 1 more; all with --json",
  ]);
  expect(comparedLines([table("public.t", { compared: null })], 3)).toEqual(["No table was compared yet."]);
});
