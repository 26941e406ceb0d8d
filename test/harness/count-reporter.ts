import { writeSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

/** Prints `N passed, N failed, N skipped` over all suites as the very last line, for machines to read. */
export default class CountReporter implements Reporter {
  // A run that breaks off before it ends has failed.
  #count = { passed: 0, failed: 1, skipped: 0 };
  readonly #reasons = new Map<string, number>();

  onInit(): void {
    process.on("exit", () => this.#print());
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    this.#count = { passed: 0, failed: errors.length, skipped: 0 };
    this.#reasons.clear();
    for (const module of modules) {
      const before = this.#count.failed;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") this.#count.passed++;
        else if (result.state === "failed") this.#count.failed++;
        else this.#skipped(result.state === "skipped" ? result.note : undefined);
      }
      // A file that could not be loaded, or a hook that failed, has no failed test to show for it.
      if (this.#count.failed === before && !module.ok()) this.#count.failed++;
    }
  }

  #skipped(reason = "without a reason"): void {
    this.#count.skipped++;
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
  }

  #print(): void {
    const { passed, failed, skipped } = this.#count;
    for (const [reason, times] of this.#reasons) writeSync(1, `skipped ${times}: ${reason}\n`);
    if (process.env["BUCARDO_REQUIRE_ALL"] === "1" && skipped > 0) {
      writeSync(1, "BUCARDO_REQUIRE_ALL=1 allows no skipped test\n");
      process.exitCode ||= 1;
    }
    writeSync(1, `${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  }
}
