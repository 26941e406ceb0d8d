import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { createPrivateFile, replacePrivateFile } from "../base/private-file.ts";
import { BucardoError } from "../model/error.ts";

/** Beside the key file, for this user alone: whoever can read it may do over HTTP what this user may do on the command line. */
export function tokenFileOf(keyfile: string): string {
  return join(dirname(keyfile), "http-token");
}

/** The token, made when there is none yet. Errors: bad-value (the file cannot be read or written, or others may read it). */
export function readOrMakeToken(file: string): string {
  return readToken(file) ?? makeToken(file);
}

/** A new token; the old one opens nothing from this moment on. */
export function rotateToken(file: string): string {
  const token = newToken();
  inFile(file, () => replacePrivateFile(file, `${token}\n`));
  return token;
}

export function removeToken(file: string): void {
  rmSync(file, { force: true });
}

/** Whether what somebody sent is the token; takes as long for a wrong one as for a right one. */
export function isToken(given: string, token: string): boolean {
  const [one, other] = [given, token].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(one!, other!);
}

/** Follows the file: a token that is rotated, or removed, counts at once. */
export class TokenWatch {
  readonly #file: string;
  #seen = "";
  #token: string | null = null;

  constructor(file: string) {
    this.#file = file;
  }

  /** Never throws: without a readable token nobody is let in. */
  accepts(given: string): boolean {
    const token = this.#current();
    return token !== null && isToken(given, token);
  }

  #current(): string | null {
    try {
      const { ctimeMs, ino, size } = statSync(this.#file);
      const seen = `${ctimeMs} ${ino} ${size}`;
      if (seen !== this.#seen) this.#token = readToken(this.#file);
      this.#seen = seen;
    } catch {
      this.#seen = "";
      this.#token = null;
    }
    return this.#token;
  }
}

/** Null: there is none. */
function readToken(file: string): string | null {
  return inFile(file, () => {
    let text: string;
    try {
      text = readFileSync(file, "utf8").trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
    if ((statSync(file).mode & 0o077) !== 0)
      throw new BucardoError("bad-value", `the token file ${file} may be read by others`, { advice: `chmod 600 ${file}` });
    return text === "" ? null : text;
  });
}

function makeToken(file: string): string {
  const token = newToken();
  return inFile(file, () => {
    try {
      createPrivateFile(file, `${token}\n`);
      return token;
    } catch (error) {
      const other = (error as NodeJS.ErrnoException).code === "EEXIST" ? readToken(file) : null;
      return other ?? rotateToken(file);
    }
  });
}

function newToken(): string {
  return `bcd_${randomBytes(32).toString("base64url")}`;
}

function inFile<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof BucardoError) throw cause;
    throw new BucardoError("bad-value", `the token file ${file} cannot be used (${(cause as NodeJS.ErrnoException).code ?? "unknown"})`, {
      cause,
      advice: "It stands beside the key file: name another one with --keyfile, or make the folder writable for this user.",
    });
  }
}
