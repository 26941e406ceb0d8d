import { writeSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

/** Prints `N passed, N failed, N skipped` over all suites as the very last line, for machines to read. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    const reasons = new Map<string, number>();
    for (const module of modules) {
      const before = count.failed;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") count.passed++;
        else if (state === "failed") count.failed++;
        else {
          count.skipped++;
          const reason = (test.result() as { note?: string }).note ?? "without a reason";
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        }
      }
      // A file that could not be loaded, or a hook that failed, has no failed test to show for it.
      if (count.failed === before && !module.ok()) count.failed++;
    }
    const strict = process.env["BUCARDO_REQUIRE_ALL"] === "1" && count.skipped > 0;
    process.on("exit", () => {
      if (strict && !process.exitCode) process.exitCode = 1;
      for (const [reason, times] of reasons) writeSync(1, `skipped ${times}: ${reason}\n`);
      if (strict) writeSync(1, "BUCARDO_REQUIRE_ALL=1 allows no skipped test\n");
      writeSync(1, `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
    });
  }
}
