import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, resolve } from "node:path";
import { statementsOf, whyNotInside } from "../../customcode/allowed.ts";
import { isInside, type Whenrun } from "../../model/customcode.ts";
import { BucardoError } from "../../model/error.ts";

export type Language = "js" | "ts" | "sql";

/** A file of custom code, checked, and as it will run. */
export type Source = {
  readonly file: string;
  readonly language: Language;
  readonly source: string;
  readonly code: string;
  readonly checksum: string;
};

/** Errors: bad-value (exit code 2, as in version 5) when the file is missing or its code cannot run at this point. */
export async function readSource(name: string, cwd: string, wanted: Language | undefined, whenrun: Whenrun): Promise<Source> {
  const file = resolve(cwd, name);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw refused(`Cannot read ${file} (${error.code ?? error.message}).`, "Give the file with src_code=FILE.");
  });
  const language = wanted ?? languageOf(file);
  return {
    file,
    language,
    source: text,
    code: check(file, text, language, whenrun),
    checksum: createHash("sha256").update(text).digest("hex"),
  };
}

/** By its name. */
export function languageOf(file: string): Language {
  const extension = extname(file).toLowerCase();
  if (extension === ".sql") return "sql";
  return extension === ".ts" || extension === ".mts" ? "ts" : "js";
}

function check(file: string, text: string, language: Language, whenrun: Whenrun): string {
  if (language === "sql") return checkStatements(file, text, whenrun);
  const stripped = stripTypes(file, text);
  if (!/\bexport\s+default\b|\bas\s+default\b/.test(stripped))
    throw refused(`${file} has no default export.`, "Write `export default async (input) => { ... }`; see docs/custom-code.md.");
  return language === "ts" ? stripped : text;
}

function checkStatements(file: string, text: string, whenrun: Whenrun): string {
  const statements = statementsOf(text);
  if (statements.length === 0) throw refused(`${file} holds no statement.`, "");
  if (whenrun === "conflict") throw refused("SQL cannot decide conflicts.", "Write a module in JavaScript or TypeScript.");
  for (const statement of isInside(whenrun) ? statements : []) {
    const why = whyNotInside(statement);
    if (why !== null)
      throw refused(`${file}: ${why} (${whenrun}).`, "Before and after the transactions (before_txn, after_txn) everything is allowed.");
  }
  return text;
}

type Stripper = { transformSync(text: string, options: { mode: "strip-only"; module: true; filename: string }): { code: string } };
type StripFailure = { readonly message?: string; readonly startLine?: number; readonly code?: string };

/**
 * Takes the types out and leaves every line and column where it was, so that errors name the right ones. The compiler that Node's own type stripping is
 * made of, as a package, because Node 20 has none; loaded only here. JavaScript goes through it too: what does not parse is refused now and not in a run.
 */
function stripTypes(file: string, text: string): string {
  const stripper = createRequire(import.meta.url)("@swc/wasm-typescript") as Stripper;
  try {
    return stripper.transformSync(text, { mode: "strip-only", module: true, filename: file }).code;
  } catch (error) {
    const { message = String(error), startLine, code } = error as StripFailure;
    const line = startLine === undefined ? "" : `, line ${startLine}`;
    const advice =
      code === "UnsupportedSyntax"
        ? "Types are only taken out: what makes code of its own (enum, namespace, parameter properties) is not offered."
        : "Custom code is a module in JavaScript or TypeScript, or SQL; Perl is not run here.";
    throw refused(`${file}${line}: ${message}.`, advice);
  }
}

function refused(message: string, advice: string): BucardoError {
  return new BucardoError("bad-value", message, { advice: `${advice} Nothing was changed.`.trim(), exit: 2 });
}
