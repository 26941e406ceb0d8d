import { BucardoError } from "../model/error.ts";
import { checkWords, type Words } from "./conninfo.ts";

/** The words of `[service]` in the text of a service file; null when it has no such section. */
export function findService(text: string, service: string, path: string): Words | null {
  const words: Record<string, string> = {};
  let section: string | null = null;
  let found = false;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const header = /^\[(.*)\]$/.exec(line);
    if (header) {
      if (found) break;
      section = header[1] ?? "";
      found = section === service;
      continue;
    }
    if (section !== service) continue;
    const entry = /^([^=]+)=(.*)$/.exec(line);
    if (!entry) throw new BucardoError("bad-value", `service file ${path}, line ${index + 1}: \`word=value\` expected`);
    words[(entry[1] ?? "").trim()] ??= (entry[2] ?? "").trim();
  }
  return found ? checkWords(words, `service "${service}" in ${path}`) : null;
}
