const guard = "test/http/guard.pg.test.ts";
const look = "test/http/look.pg.test.ts";
const page = "test/http/move.pg.test.ts";

/** What keeps strangers out of the HTTP server, and what keeps it cheap. */
export const http = [
  {
    name: "http-token",
    what: "whatever changes something needs no token",
    file: "src/http/api.ts",
    find: "if (offer.token && !ask.authorized)",
    replace: "if (offer.token && !ask.authorized && offer.confirms)",
    tests: [{ file: guard, name: "needs the token" }],
  },
  {
    name: "http-host",
    what: "any name may be made to lead here",
    file: "src/http/guard.ts",
    find: "if (host === undefined || !isOwnHost(host, names))",
    replace: "if (host === undefined)",
    tests: [{ file: guard, name: "another site can neither write nor read" }],
  },
  {
    name: "http-origin",
    what: "pages of other sites may send requests",
    file: "src/http/guard.ts",
    find: "if (origin !== undefined && !isOrigin(origin, host)) throw foreign();",
    replace: "",
    tests: [{ file: guard, name: "another site can neither write nor read" }],
  },
  {
    name: "http-form",
    what: "what a form of another site can send is taken",
    file: "src/http/request.ts",
    find: 'if (type !== "application/json")',
    replace: 'if (type === "nothing")',
    tests: [{ file: guard, name: "needs the token" }],
  },
  {
    name: "http-keys-of-rows",
    what: "keys of refused rows are told to everybody",
    file: "src/http/api.ts",
    find: "ask.authorized ? new Set() : offer.hide",
    replace: "new Set()",
    tests: [{ file: guard, name: "row images are not" }],
  },
  {
    name: "http-local-keys",
    what: "commands and files of the machine can be named over HTTP",
    file: "src/http/offer.ts",
    find: "?.local !== true",
    replace: "?.legacy !== true",
    tests: [{ file: guard, name: "for the command line alone" }],
  },
  {
    name: "http-confirm",
    what: "a cutover needs no typed name",
    file: "src/http/call.ts",
    find: "ask: () => Promise.resolve(confirm),",
    replace: 'ask: () => Promise.resolve("shop"),',
    tests: [{ file: page, name: "types the name" }],
  },
  {
    name: "http-deaf",
    what: "a page that does not read is kept for ever",
    file: "src/http/hub.ts",
    find: "if (listener.writableLength > BEHIND_BYTES) listener.destroy();",
    replace: "if (listener.writableLength < 0) listener.destroy();",
    tests: [{ file: look, name: "does not read is dropped" }],
  },
  {
    name: "http-history",
    what: "points of the plots are never dropped",
    file: "src/daemon/historian.ts",
    find: "await this.#lease.use(pruneSamples);",
    replace: "void pruneSamples;",
    tests: [{ file: look, name: "it has an end" }],
  },
];
