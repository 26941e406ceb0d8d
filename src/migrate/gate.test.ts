import { expect, test } from "vitest";
import { decideGates, gateNames, type GateFacts, type GateName } from "./gate.ts";

const good: GateFacts = {
  lag: { deltas: 10, runMs: 20 },
  compared: { tables: 3, different: [] },
  schema: [],
  strangers: [],
  ddl: [],
  writers: [],
  prepared: { here: [], elsewhere: 0 },
  sequences: [{ name: "public.s", left: 1000n, wanted: 100n }],
  unanalyzed: [],
  largeObjects: { from: 0, to: 0, carried: false },
  otherWriters: { replicaRoles: [], subscriptions: [] },
  readOnly: false,
  wayBack: { wanted: true, ready: true, why: null },
  poolers: [],
};
const limits = { budgetMs: 10_000, mostDeltas: 1000 };

test("with nothing in the way every gate is open", () => {
  const gates = decideGates(good, limits);
  expect(gates.map(({ name }) => name)).toEqual(gateNames);
  expect(gates.filter(({ state }) => state !== "ok")).toEqual([]);
});

test.each<[GateName, "blocked" | "warn", Partial<GateFacts>, string]>([
  ["lag", "blocked", { lag: { deltas: 1, runMs: 6000 } }, "6000 ms"],
  ["lag", "blocked", { lag: { deltas: 1001, runMs: 20 } }, "1001 deltas"],
  ["compare", "blocked", { compared: { tables: 3, different: ["public.a", "public.b", "c", "d"] } }, "public.a, public.b, c and 1 more"],
  ["compare", "warn", { compared: null }, "not compared"],
  [
    "schema",
    "blocked",
    {
      schema: [
        { grade: "warning", what: "odd", remedy: "" },
        { grade: "error", what: "public.t lacks v", remedy: "add it" },
      ],
    },
    "lacks v",
  ],
  ["new-tables", "blocked", { strangers: ["public.late"] }, "public.late"],
  ["ddl", "blocked", { ddl: ["pid 7 (psql) on t"] }, "pid 7"],
  ["long-transactions", "warn", { writers: [{ who: "pid 8", seconds: 2 }] }, "pid 8"],
  ["long-transactions", "blocked", { writers: [{ who: "pid 8", seconds: 6 }] }, "pid 8"],
  ["prepared-transactions", "blocked", { prepared: { here: ["public.t"], elsewhere: 1 } }, "public.t"],
  ["prepared-transactions", "warn", { prepared: { here: [], elsewhere: 2 } }, "2 prepared"],
  ["sequences", "warn", { sequences: [{ name: "public.s", left: 99n, wanted: 100n }] }, "public.s"],
  ["statistics", "blocked", { unanalyzed: ["t"] }, "t"],
  ["large-objects", "blocked", { largeObjects: { from: 2, to: 0, carried: false } }, "2 large objects"],
  ["large-objects", "warn", { largeObjects: { from: 2, to: 1, carried: true } }, "1 on the new"],
  ["other-writers", "blocked", { otherWriters: { replicaRoles: [], subscriptions: ["sub"] } }, "sub"],
  ["other-writers", "blocked", { otherWriters: { replicaRoles: ["role etl"], subscriptions: [] } }, "role etl"],
  ["read-only", "blocked", { readOnly: true }, "default_transaction_read_only"],
  ["way-back", "blocked", { wayBack: { wanted: true, ready: false, why: "no right" } }, "no right"],
  ["way-back", "warn", { wayBack: { wanted: false, ready: false, why: null } }, "will not follow"],
  ["poolers", "blocked", { poolers: [{ name: "pooler a", problem: "is away", warning: null }] }, "pooler a: is away"],
  ["poolers", "warn", { poolers: [{ name: "pooler a", problem: null, warning: "pools by session" }] }, "by session"],
])("%s is %s", (name, state, facts, text) => {
  const closed = decideGates({ ...good, ...facts }, limits).filter((gate) => gate.state !== "ok");
  expect(closed).toMatchObject([{ name, state, why: expect.stringContaining(text) }]);
});

test("an override makes a warning of a refusal, of this gate alone", () => {
  const facts = { ...good, strangers: ["public.late"], readOnly: true };
  const states = decideGates(facts, limits, ["new-tables"]).filter(({ state }) => state !== "ok");
  expect(states.map(({ name, state }) => [name, state])).toEqual([
    ["new-tables", "warn"],
    ["read-only", "blocked"],
  ]);
});
