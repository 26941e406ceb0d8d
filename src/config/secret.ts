import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createPrivateFile } from "../base/private-file.ts";
import { BucardoError } from "../model/error.ts";

const SEALED = "enc:v1:";
const FROM_ENVIRONMENT = "env:";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `enc:v1:` and base64 of nonce, tag and AES-256-GCM ciphertext. Makes the key file (0600) when there is none. */
export async function sealPassword(clear: string, keyfile: string): Promise<string> {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", readOrMakeKey(keyfile), nonce);
  const sealed = Buffer.concat([cipher.update(clear, "utf8"), cipher.final()]);
  return SEALED + Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
}

/** The clear password behind `env:NAME` or `enc:v1:...`. BucardoError authentication-failed when it cannot be had. */
export function openPassword(reference: string, env: Readonly<Record<string, string | undefined>>, keyfile: string): string {
  if (reference.startsWith(FROM_ENVIRONMENT)) return fromEnvironment(reference.slice(FROM_ENVIRONMENT.length), env);
  if (!reference.startsWith(SEALED))
    throw new BucardoError("authentication-failed", "a stored password has an unknown form", {
      advice: "Set it again with `bucardo update db NAME pass=...`.",
    });
  const bytes = Buffer.from(reference.slice(SEALED.length), "base64");
  const key = readKey(keyfile);
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
  } catch {
    throw new BucardoError("authentication-failed", `a stored password cannot be opened with the key in ${keyfile}`, {
      advice:
        "Use the key file with which it was stored (option keyfile), or set the password again with `bucardo update db NAME pass=...`.",
    });
  }
}

function fromEnvironment(name: string, env: Readonly<Record<string, string | undefined>>): string {
  const value = env[name];
  if (value !== undefined && value !== "") return value;
  throw new BucardoError("authentication-failed", `the environment variable ${name}, which should hold a password, is not set`, {
    advice: `Set ${name} for this process and for the daemon.`,
  });
}

function readOrMakeKey(keyfile: string): Buffer {
  try {
    return readKey(keyfile);
  } catch (error) {
    if (!(error instanceof BucardoError) || (error.details.cause as NodeJS.ErrnoException | undefined)?.code !== "ENOENT") throw error;
  }
  try {
    createPrivateFile(keyfile, `${randomBytes(KEY_BYTES).toString("base64")}\n`);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST")
      throw new BucardoError("bad-value", `cannot write the key file ${keyfile}`, {
        cause,
        advice: "Give another path with keyfile=, or make the directory writable.",
      });
  }
  return readKey(keyfile);
}

function readKey(keyfile: string): Buffer {
  let text: string;
  let mode: number;
  try {
    text = readFileSync(keyfile, "utf8");
    mode = statSync(keyfile).mode;
  } catch (cause) {
    throw new BucardoError("authentication-failed", `cannot read the key file ${keyfile}`, {
      cause,
      advice: "Give its path with keyfile=, or make it readable for this user.",
    });
  }
  if ((mode & 0o077) !== 0)
    throw new BucardoError("authentication-failed", `the key file ${keyfile} may be read by others`, { advice: `chmod 600 ${keyfile}` });
  const key = Buffer.from(text.trim(), "base64");
  if (key.length !== KEY_BYTES)
    throw new BucardoError("authentication-failed", `${keyfile} does not hold a key of ours`, {
      advice: "Restore the file, or remove it and set the stored passwords again.",
    });
  return key;
}
