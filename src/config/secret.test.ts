import * as fs from "node:fs";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openPassword, sealPassword } from "./secret.ts";

// So that one call can break off.
vi.mock("node:fs", async (original) => {
  const real = await original<typeof fs>();
  return { ...real, writeFileSync: vi.fn<typeof fs.writeFileSync>(real.writeFileSync) };
});

let folder: string;
let keyfile: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bucardo-secret-"));
  keyfile = join(folder, "deep", "key");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("what is sealed can be opened with the same key file, and looks different every time", async () => {
  const sealed = await sealPassword("geheim ä", keyfile);
  expect(sealed).toMatch(/^enc:v1:[A-Za-z0-9+/=]+$/);
  expect(openPassword(sealed, {}, keyfile)).toBe("geheim ä");
  expect(await sealPassword("geheim ä", keyfile)).not.toBe(sealed);
  expect(statSync(keyfile).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "deep")).mode & 0o777).toBe(0o700);
});

test("sealing at once with no key file yet: all get the same key", async () => {
  const sealed = await Promise.all(["a", "b", "c"].map((text) => sealPassword(text, keyfile)));
  expect(sealed.map((text) => openPassword(text, {}, keyfile))).toEqual(["a", "b", "c"]);
});

test("a key file is there whole or not at all", async () => {
  vi.mocked(fs.writeFileSync).mockImplementationOnce((path, data, options) => {
    writeFileSync(path, (data as string).slice(0, 5), options);
    throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  });
  await expect(sealPassword("geheim", keyfile)).rejects.toThrow("cannot write the key file");
  expect(readdirSync(join(folder, "deep"))).toEqual([]);
  expect(openPassword(await sealPassword("geheim", keyfile), {}, keyfile)).toBe("geheim");
});

test("another key, a changed text, no key, a key that others may read, something else in its place", async () => {
  const sealed = await sealPassword("geheim", keyfile);
  const other = join(folder, "other");
  await sealPassword("x", other);
  const fails = (text: string, file: string, message: RegExp) => {
    expect(() => openPassword(text, {}, file)).toThrow(message);
    expect(() => openPassword(text, {}, file)).toThrow(expect.objectContaining({ code: "authentication-failed" }));
  };
  fails(sealed, other, /cannot be opened with the key/);
  fails(`${sealed.slice(0, -4)}AAAA`, keyfile, /cannot be opened with the key/);
  fails("enc:v1:AAAA", keyfile, /cannot be opened with the key/);
  fails("enc:v2:AAAA", keyfile, /unknown form/);
  fails("clear text", keyfile, /unknown form/);
  fails(sealed, join(folder, "missing"), /cannot read the key file/);
  chmodSync(keyfile, 0o640);
  fails(sealed, keyfile, /may be read by others/);
  await expect(sealPassword("x", keyfile)).rejects.toThrow("may be read by others");
  writeFileSync(other, "short\n");
  fails(sealed, other, /does not hold a key/);
  expect(readFileSync(other, "utf8")).toBe("short\n");
});

test("passwords from the environment", () => {
  expect(openPassword("env:PW", { PW: "geheim" }, keyfile)).toBe("geheim");
  expect(() => openPassword("env:PW", { PW: "" }, keyfile)).toThrow("the environment variable PW");
});
