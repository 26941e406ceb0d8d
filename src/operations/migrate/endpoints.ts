import { readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { replacePrivateFile } from "../../base/private-file.ts";
import { openPassword, sealPassword } from "../../config/secret.ts";
import { endpointOf, type Endpoint } from "../../migrate/endpoint.ts";
import { BucardoError } from "../../model/error.ts";
import { keyfileOf } from "../connect-options.ts";
import type { Context } from "../context.ts";
import { key, text } from "../input.ts";

/** The two keys that every command of a move takes. */
export const endpointKeys = {
  from: key(text.optional(), {
    about: "The old database: a URL, or libpq's words. Default: BUCARDO_FROM, else the last move begun here.",
    value: "URL",
    local: true,
  }),
  to: key(text.optional(), {
    about: "The new database, which may be empty or not exist yet. Default: BUCARDO_TO, else the last move begun here.",
    value: "URL",
    local: true,
  }),
};

export type Given = { readonly from?: string | undefined; readonly to?: string | undefined };

export type Pair = { readonly old: Endpoint; readonly new: Endpoint };

/** Named on the line, in the environment, or by the last `start` of this user. Errors: usage. */
export function readPair(given: Given, context: Pick<Context, "env" | "config">): Pair {
  const remembered = given.from !== undefined || context.env["BUCARDO_FROM"] ? null : recall(context);
  const from = given.from ?? context.env["BUCARDO_FROM"] ?? remembered?.from;
  const to = given.to ?? context.env["BUCARDO_TO"] ?? remembered?.to;
  if (!from || !to)
    throw new BucardoError("usage", `${from ? "--to" : "--from"} is missing: which database is ${from ? "the new one" : "moved"}?`, {
      advice: "Give --from URL and --to URL, or set BUCARDO_FROM and BUCARDO_TO. Nothing was done.",
    });
  refuseNoAddress("from", from);
  refuseNoAddress("to", to);
  return { old: endpointOf("old", from), new: endpointOf("new", to) };
}

/** The value is not told: it may be a password in the wrong place. Errors: bad-value. */
function refuseNoAddress(side: keyof typeof endpointKeys, value: string): void {
  if (/^postgres(ql)?:\/\//.test(value) || value.includes("=")) return;
  throw new BucardoError("bad-value", `--${side} (or BUCARDO_${side.toUpperCase()}) is no address of a database`, {
    advice: `Write it as a URL, --${side} postgresql://user@host:5432/database, or in libpq's words, --${side} 'host=... dbname=...'. Nothing was done.`,
  });
}

/** So that the next commands need no URLs. Sealed with the key file, as a URL may hold a password. */
export async function rememberPair(given: Given, context: Pick<Context, "env" | "config">): Promise<void> {
  const from = given.from ?? context.env["BUCARDO_FROM"];
  const to = given.to ?? context.env["BUCARDO_TO"];
  if (!from || !to) return;
  const sealed = await sealPassword(JSON.stringify({ from, to }), keyfileOf(context.config, context.env));
  // Moves of several databases go on side by side.
  replacePrivateFile(fileOf(context), `${sealed}\n`);
}

/** What a move that ends has left; another one that was begun since stays remembered. */
export function forgetPair(context: Pick<Context, "env" | "config">, { old, new: young }: Pair): void {
  if (!isOther(context, old.place, young.place)) rmSync(fileOf(context), { force: true });
}

function isOther(context: Pick<Context, "env" | "config">, from: string, to: string): boolean {
  try {
    const remembered = recall(context);
    if (remembered === null) return false;
    return endpointOf("old", remembered.from).place !== from || endpointOf("new", remembered.to).place !== to;
  } catch {
    // Nobody can read it.
    return false;
  }
}

function recall(context: Pick<Context, "env" | "config">): { from: string; to: string } | null {
  let sealed: string;
  try {
    sealed = readFileSync(fileOf(context), "utf8").trim();
  } catch {
    return null;
  }
  return JSON.parse(openPassword(sealed, context.env, keyfileOf(context.config, context.env))) as { from: string; to: string };
}

function fileOf(context: Pick<Context, "env">): string {
  return join(context.env["HOME"] ?? homedir(), ".bucardo", "move");
}
