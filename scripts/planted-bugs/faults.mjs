const stop = "test/faults/stop.pg.test.ts";
const network = "test/faults/network.pg.test.ts";

/** What the daemon does when a server, a network or another session stands in its way. */
export const faults = [
  {
    name: "keeper-outlives-stop",
    what: "told to stop, the daemon waits for housekeeping on a server that does not answer",
    file: "src/daemon/housekeeping.ts",
    find: "using _ = closedBy(this.#stop.signal, session);",
    replace: "",
    tests: [{ file: stop, name: "while it is idle and the source does not answer" }],
  },
  {
    name: "run-not-abandoned",
    what: "a run that is broken off waits on for a server that does not answer",
    file: "src/daemon/target-loop.ts",
    find: "const timer = setTimeout(() => void this.#connections.close(), ABANDON_MS);",
    replace: "const timer = undefined;",
    tests: [{ file: stop, name: "in a run that has passed" }],
  },
  {
    name: "closed-but-still-waiting",
    what: "a session that is closed while it waits for a lock stays on the server",
    file: "src/postgres/pg-session.ts",
    find: "if (this.#busy && !socket.destroyed)",
    replace: "if (false)",
    tests: [{ file: stop, name: "lock table bucardo.checkpoint" }],
  },
  {
    name: "one-half-kept",
    what: "a target loop keeps the connection to the source when it has lost the target's",
    file: "src/daemon/connections.ts",
    find: "await Promise.all([pair?.source.close(), pair?.target?.close()]);",
    replace: "await pair?.target?.close();",
    tests: [{ file: network, name: "connections are cut" }],
  },
];
