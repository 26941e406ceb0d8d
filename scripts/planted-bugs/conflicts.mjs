const chain = "test/replicate/several-sources-chain.pg.test.ts";

/** Rows of several sources that cannot all be. */
export const conflicts = [
  {
    name: "losers-are-not-looked-at-again",
    what: "a row that lost its unique value comes back in an older version, whose value nobody looks for",
    file: "src/replicate/exchange.ts",
    find: "found += met;",
    replace: "void met;",
    tests: [{ file: chain, name: "a loser whose older version meets another row" }],
  },
  {
    name: "kept-parents-are-not-looked-at",
    what: "a row stays for what refers to it, and nobody looks who took its unique value",
    file: "src/replicate/exchange.ts",
    find: "found += await keepParents",
    replace: "await keepParents",
    tests: [{ file: chain, name: "a row that stays for what refers to it" }],
  },
  {
    name: "grandchildren-stay",
    what: "rows refer to others that went with their parent",
    file: "src/replicate/conflict-foreign-key.ts",
    find: "tables = hit;",
    replace: "tables = [];",
    tests: [{ file: chain, name: "what refers to what goes" }],
  },
  {
    name: "sifted-rows-lose-their-stamps",
    what: "a row that is refused by one of several sources cannot be found",
    file: "src/replicate/careful-fetch.ts",
    find: "const stamps = stampsOf(link);",
    replace: "const stamps = stampsOf({ relays: [] });",
    tests: [{ file: chain, name: "a row that one of several sources refuses is named" }],
  },
];
