import { existsSync, readFileSync } from "node:fs";
import { BucardoError } from "../model/error.ts";

/** The text of a file of the user's, null when there is none; bad-value when there is one that we may not read. */
export function readIfThere(path: string, where: string): string | null {
  if (!existsSync(path)) return null;
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new BucardoError("bad-value", `${where}: cannot read ${path}`, { cause, advice: `Make ${path} readable for this user.` });
  }
}
