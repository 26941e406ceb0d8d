const exception = "test/customcode/exception.pg.test.ts";
const hooks = "test/customcode/hooks.pg.test.ts";
const handover = "employee and supplies";

/** What somebody's code may do, and what becomes of it. */
export const customcode = [
  {
    name: "code-writes-in-silence",
    what: "what code changes on a target that is a source too is captured by nobody",
    file: "src/customcode/desk.ts",
    find: '${setRole("origin")}',
    replace: "",
    tests: [{ file: exception, name: "what code changes is captured" }],
  },
  {
    name: "code-commits",
    what: "code may end the run's transaction",
    file: "src/customcode/desk.ts",
    find: "    const why = whyNotInside(text);\n",
    replace: "    const why = null;\n",
    tests: [{ file: hooks, name: "whatever code does wrong" }],
  },
  {
    name: "code-done-twice",
    what: "after a crash between the target's commit and its settling code changes the target again for the same rows",
    file: "src/replicate/run.ts",
    find: "      if (isOnce(context)) await finishHalf(source, target.session, definition);\n",
    replace: "",
    tests: [{ file: hooks, name: "what code did on the target" }],
  },
  {
    name: "handled-without-fetching-again",
    what: "what a handler took away on the source is written all the same",
    file: "src/replicate/handled.ts",
    find: "      rows = await fetchAgain({ source, target, signal }, rows);\n",
    replace: "      rows = [...rows];\n",
    tests: [{ file: exception, name: handover }],
  },
];
