import type { Fields } from "./format.ts";

/** The fields of one row of COPY's text format, which comes without its newline. */
export function fieldsOf(row: string): Fields {
  return row.split("\t").map((field) => {
    if (field === "\\N") return null;
    return field.includes("\\") ? field.replace(/\\([^])/g, (_whole, letter: string) => ESCAPES[letter] ?? letter) : field;
  });
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

const NEWLINE = 0x0a;

/** Cuts a stream of COPY's text format into rows: no row has a newline in it. */
export class RowCutter {
  #rest: Buffer[] = [];

  /** The rows that end in this piece. */
  cut(bytes: Buffer): string[] {
    const end = bytes.lastIndexOf(NEWLINE);
    if (end === -1) {
      this.#rest.push(bytes);
      return [];
    }
    const whole = Buffer.concat([...this.#rest, bytes.subarray(0, end)]);
    this.#rest = [bytes.subarray(end + 1)];
    return whole.toString("utf8").split("\n");
  }
}
