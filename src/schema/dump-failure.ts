import { BucardoError } from "../model/error.ts";

/** Of each complaint: behind it may stand a query of pages. */
const LONGEST = 300;

/** What pg_dump said of its error, without its account of how far it had come. */
export function dumpFailure(db: string, said: string): BucardoError {
  const errors = [...said.matchAll(/pg_dump: (?:error: |detail: )(.*?)(?=pg_dump: |\n|$)/gs)].map((match) =>
    match[1]!.trim().slice(0, LONGEST),
  );
  const reason = errors.length > 0 ? errors.join(" ") : said.trim().slice(-500);
  return new BucardoError("dump-failed", `database "${db}": pg_dump: ${reason}`, { db });
}
