import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolder } from "./folder.ts";

test("makes parents, keeps what is there, and ends where nothing can be made", () => {
  const root = mkdtempSync(join(tmpdir(), "bucardo-folder-"));
  try {
    makeFolder(join(root, "a", "b"), 0o700);
    makeFolder(join(root, "a", "b"));
    expect(statSync(join(root, "a", "b")).mode & 0o777).toBe(0o700);
    expect(() => makeFolder("/proc/nowhere/at/all")).toThrow(/ENOENT|EACCES|EROFS/);
  } finally {
    rmSync(root, { recursive: true });
  }
});
