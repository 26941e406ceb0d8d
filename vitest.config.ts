import { defineConfig } from "vitest/config";

// The suffix says what a test needs: .test.ts nothing, .pg.test.ts servers, .e2e.test.ts the program, .long.test.ts patience.
const long = process.env["BUCARDO_LONG"] === "1";
const part = process.env["BUCARDO_PART"];

// `npm run test:more`, not a part of `npm test`, so that this stays a matter of minutes: what is broken on purpose, the page in a browser, the whole demo, and
// the Perl program itself.
const MORE = [
  "test/{attack,browser,faults,hazards,property}/**/*.test.ts",
  "test/**/*{crash,faults}*.test.ts",
  "test/e2e/{bad-input,demo}.e2e.test.ts",
  "test/import/real.pg.test.ts",
];

export default defineConfig({
  test: {
    include: long ? ["test/**/*.long.test.ts"] : part === "more" ? MORE : ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/node_modules/**", ...(long ? [] : ["test/**/*.long.test.ts"]), ...(part === "usual" ? MORE : [])],
    globalSetup: ["test/harness/global-setup.ts"],
    setupFiles: ["test/harness/worker-setup.ts"],
    reporters: ["default", "./test/harness/count-reporter.ts"],
    pool: "forks",
    maxWorkers: 3,
    testTimeout: long ? 1_800_000 : 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    retry: 0,
  },
});
