/** A condition that must hold before a cutover begins. warn: it goes on and says so; blocked: it does not, unless overridden by name. */
export type Gate = {
  readonly name: GateName;
  readonly state: "ok" | "warn" | "blocked";
  /** What was found. */
  readonly why: string;
  /** What to do; null when nothing is. */
  readonly remedy: string | null;
};

export const gateNames = [
  "lag",
  "compare",
  "schema",
  "new-tables",
  "ddl",
  "long-transactions",
  "prepared-transactions",
  "sequences",
  "statistics",
  "large-objects",
  "other-writers",
  "read-only",
  "way-back",
  "poolers",
] as const;

export type GateName = (typeof gateNames)[number];

/** Everything the gates are decided from, read in one go just before the window. */
export type GateFacts = {
  /** Deltas waiting after the last run before the window, and how long that run took. */
  readonly lag: { readonly deltas: number; readonly runMs: number };
  /** Tables that differ; null: nothing was compared. */
  readonly compared: { readonly tables: number; readonly different: readonly string[] } | null;
  /** Problems that the catalog's comparison found, as sentences. */
  readonly schema: readonly { readonly grade: "error" | "warning"; readonly what: string; readonly remedy: string }[];
  /** Tables and sequences of the old side that do not take part and were not left out on purpose. */
  readonly strangers: readonly string[];
  /** Sessions that change or want to change a table's definition. */
  readonly ddl: readonly string[];
  /** Transactions that wrote to the tables and are older than a moment. */
  readonly writers: readonly { readonly who: string; readonly seconds: number }[];
  /** Prepared transactions on the tables, and elsewhere in this database. */
  readonly prepared: { readonly here: readonly string[]; readonly elsewhere: number };
  readonly sequences: readonly { readonly name: string; readonly left: bigint; readonly wanted: bigint }[];
  /** Tables of the new side that have rows and no statistics. */
  readonly unanalyzed: readonly string[];
  readonly largeObjects: { readonly from: number; readonly to: number; readonly carried: boolean };
  /** Roles and databases whose sessions run with session_replication_role = replica, and enabled subscriptions. */
  readonly otherWriters: { readonly replicaRoles: readonly string[]; readonly subscriptions: readonly string[] };
  readonly readOnly: boolean;
  readonly wayBack: { readonly wanted: boolean; readonly ready: boolean; readonly why: string | null; readonly remedy?: string };
  readonly poolers: readonly { readonly name: string; readonly problem: string | null; readonly warning: string | null }[];
};

export type GateLimits = {
  readonly budgetMs: number;
  /** Deltas that the last run may have to carry. */
  readonly mostDeltas: number;
};

/** All gates, in the order in which they are told. Pure. */
export function decideGates(facts: GateFacts, limits: GateLimits, override: readonly string[] = []): Gate[] {
  return [
    lag(facts, limits),
    compare(facts),
    schema(facts),
    strangers(facts),
    ddl(facts),
    writers(facts, limits),
    prepared(facts),
    sequences(facts),
    statistics(facts),
    largeObjects(facts),
    otherWriters(facts),
    readOnly(facts),
    wayBack(facts),
    poolers(facts),
  ].map((gate) => (gate.state === "blocked" && override.includes(gate.name) ? { ...gate, state: "warn" as const } : gate));
}

type Verdict = Omit<Gate, "name">;

const ok = (name: GateName, why: string): Gate => ({ name, state: "ok", why, remedy: null });
const not = (name: GateName, state: "warn" | "blocked", why: string, remedy: string | null): Gate =>
  ({ name, state, why, remedy }) satisfies Verdict & { name: GateName };

/** `a, b, c and 4 more` */
function some(names: readonly string[], shown = 3): string {
  return names.length > shown ? `${names.slice(0, shown).join(", ")} and ${names.length - shown} more` : names.join(", ");
}

function lag({ lag: { deltas, runMs } }: GateFacts, { budgetMs, mostDeltas }: GateLimits): Gate {
  const found = `${deltas} deltas wait, the last run took ${Math.round(runMs)} ms`;
  if (runMs > budgetMs / 2)
    return not("lag", "blocked", found, "A run takes too much of the budget: raise --budget, or come at a quieter hour.");
  if (deltas > mostDeltas)
    return not("lag", "blocked", found, "The old side changes faster than the new one takes it: come at a quieter hour.");
  return ok("lag", found);
}

function compare({ compared }: GateFacts): Gate {
  if (compared === null) return not("compare", "warn", "the two sides were not compared", "Leave --no-verify out.");
  if (compared.different.length > 0)
    return not("compare", "blocked", `the two sides differ: ${some(compared.different)}`, "`bucardo migrate repair`, then again.");
  return ok("compare", `${compared.tables} tables are equal`);
}

function schema({ schema: problems }: GateFacts): Gate {
  const [first] = problems.filter(({ grade }) => grade === "error").concat(problems);
  if (first === undefined) return ok("schema", "both sides have the same columns and keys");
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  return not("schema", first.grade === "error" ? "blocked" : "warn", `${first.what}${more}`, first.remedy);
}

function strangers({ strangers: names }: GateFacts): Gate {
  if (names.length === 0) return ok("new-tables", "every table takes part or was left out on purpose");
  return not(
    "new-tables",
    "blocked",
    `came after the move had begun: ${some(names)}`,
    "Create them on the new side by hand and override this gate, drop them, or begin the move again.",
  );
}

function ddl({ ddl: sessions }: GateFacts): Gate {
  if (sessions.length === 0) return ok("ddl", "nobody changes a table's definition");
  return not("ddl", "blocked", `a definition is being changed: ${some(sessions)}`, "Wait until it has ended.");
}

function writers({ writers: found }: GateFacts, { budgetMs }: GateLimits): Gate {
  if (found.length === 0) return ok("long-transactions", "no writer is open for long");
  const oldest = Math.max(...found.map(({ seconds }) => seconds));
  const names = some(found.map(({ who }) => who));
  const long = oldest * 1000 > budgetMs / 2;
  return not(
    "long-transactions",
    long ? "blocked" : "warn",
    `open with writes: ${names}`,
    "The cutover waits for the end of each: end them, or wait.",
  );
}

function prepared({ prepared: { here, elsewhere } }: GateFacts): Gate {
  if (here.length > 0)
    return not("prepared-transactions", "blocked", `prepared on the tables: ${some(here)}`, "Commit or roll back what was prepared.");
  return elsewhere > 0
    ? not("prepared-transactions", "warn", `${elsewhere} prepared transactions are open in this database`, "They do not come along.")
    : ok("prepared-transactions", "none is open");
}

function sequences({ sequences: found }: GateFacts): Gate {
  const short = found.filter(({ left, wanted }) => left < wanted);
  if (short.length === 0) return ok("sequences", "all have room for the safety gap");
  return not(
    "sequences",
    "warn",
    `too near to the end for the safety gap: ${some(short.map(({ name }) => name))}`,
    "They go on without a gap: let nobody call nextval for them during the cutover.",
  );
}

function statistics({ unanalyzed }: GateFacts): Gate {
  if (unanalyzed.length === 0) return ok("statistics", "every table with rows has them");
  return not("statistics", "blocked", `no statistics on the new side: ${some(unanalyzed)}`, "On the new side: analyze;");
}

function largeObjects({ largeObjects: { from, to, carried } }: GateFacts): Gate {
  if (from === 0 || (carried && from === to)) return ok("large-objects", from === 0 ? "there are none" : `${from} on both sides`);
  return not(
    "large-objects",
    carried ? "warn" : "blocked",
    `${from} large objects on the old side, ${to} on the new one`,
    "Writes to them are not fenced: stop who writes them, and let `bucardo migrate start` carry them again.",
  );
}

function otherWriters({ otherWriters: { replicaRoles, subscriptions } }: GateFacts): Gate {
  if (subscriptions.length > 0)
    return not(
      "other-writers",
      "blocked",
      `subscriptions write here past every fence: ${some(subscriptions)}`,
      "alter subscription ... disable; and let it follow the new side.",
    );
  if (replicaRoles.length > 0)
    return not(
      "other-writers",
      "blocked",
      `session_replication_role is replica by default for ${some(replicaRoles)}: their writes are neither captured nor fenced`,
      "alter role ... reset session_replication_role;",
    );
  return ok("other-writers", "no subscription and no role writes past the fence");
}

function readOnly({ readOnly: found }: GateFacts): Gate {
  if (!found) return ok("read-only", "the new side takes writes by default");
  return not(
    "read-only",
    "blocked",
    "default_transaction_read_only is on for the new side",
    "alter database ... reset default_transaction_read_only;",
  );
}

function wayBack({ wayBack: { wanted, ready, why, remedy = "Mend it." } }: GateFacts): Gate {
  if (!wanted) return not("way-back", "warn", "the old side will not follow the new one", "Leave --no-way-back out.");
  if (ready) return ok("way-back", "changes of the new side will be captured from its first write on");
  return not(
    "way-back",
    "blocked",
    why ?? "capture on the new side is not complete",
    `${remedy} Or give the way back up with --no-way-back.`,
  );
}

function poolers({ poolers: found }: GateFacts): Gate {
  const broken = found.filter(({ problem }) => problem !== null);
  if (broken.length > 0)
    return not("poolers", "blocked", some(broken.map(({ name, problem }) => `${name}: ${problem}`)), "Mend it, then again.");
  const warned = found.filter(({ warning }) => warning !== null);
  if (warned.length > 0) return not("poolers", "warn", some(warned.map(({ name, warning }) => `${name}: ${warning}`)), null);
  return ok("poolers", found.length === 0 ? "none was given" : `${found.length} answer`);
}
