/** Where one database of a pooler lies in the text of its configuration: values and their places. */
type Word = { readonly key: string; readonly value: string; readonly from: number; readonly to: number };
type Line = { readonly from: number; readonly to: number; readonly text: string };

export type Place = { readonly host: string; readonly port: number; readonly dbname: string };

/** How often the database is declared in section [databases]; exactly one can be rewritten. */
export function countEntries(ini: string, database: string): number {
  return linesOf(ini, database).length;
}

/** The line of a database as it stands. Null: it is not declared, or more than once. */
export function entryOf(ini: string, database: string): string | null {
  const lines = linesOf(ini, database);
  return lines.length === 1 ? lines[0]!.text : null;
}

/** The same text with another host, port and dbname for this database; everything else stays to the letter. */
export function repoint(ini: string, database: string, place: Place): string {
  const [line] = linesOf(ini, database);
  if (line === undefined) return ini;
  const wanted: Record<string, string> = { host: place.host, port: String(place.port), dbname: place.dbname };
  const start = line.text.indexOf("=") + 1;
  const words = wordsOf(line.text.slice(start));
  let text = line.text.slice(start);
  for (const word of words.toReversed()) {
    const value = wanted[word.key];
    if (value === undefined) continue;
    text = text.slice(0, word.from) + quote(value) + text.slice(word.to);
  }
  const missing = Object.entries(wanted).filter(([key]) => !words.some((word) => word.key === key));
  const added = missing.map(([key, value]) => ` ${key}=${quote(value)}`).join("");
  return ini.slice(0, line.from) + line.text.slice(0, start) + text.trimEnd() + added + ini.slice(line.to);
}

/** The same text with the line of this database replaced. */
export function restoreEntry(ini: string, database: string, entry: string): string {
  const [line] = linesOf(ini, database);
  return line === undefined ? ini : ini.slice(0, line.from) + entry + ini.slice(line.to);
}

function linesOf(ini: string, database: string): Line[] {
  const found: Line[] = [];
  let section = "";
  let from = 0;
  for (const raw of ini.split("\n")) {
    const text = raw.replace(/\r$/, "");
    const heading = /^\s*\[(.*)\]\s*$/.exec(text);
    if (heading) section = heading[1]!.trim().toLowerCase();
    else if (section === "databases" && nameOf(text) === database) found.push({ from, to: from + text.length, text });
    from += raw.length + 1;
  }
  return found;
}

/** Name of a `name = connection string` line; quoted names double their quotes. Null for comments and everything else. */
function nameOf(line: string): string | null {
  const match = /^\s*(?:"((?:[^"]|"")*)"|([^\s=;#%[]+))\s*=/.exec(line);
  return match === null ? null : (match[1]?.replaceAll('""', '"') ?? match[2] ?? null);
}

/** `key=value` words of a connection string; a value in single quotes doubles those in it. Places are of the value with its quotes. */
function wordsOf(text: string): Word[] {
  const pattern = /([a-z_]+)\s*=\s*('(?:[^']|'')*'|[^\s']*)/gi;
  return [...text.matchAll(pattern)].map((match) => {
    const value = match[2]!;
    const to = match.index + match[0].length;
    return { key: match[1]!.toLowerCase(), value, from: to - value.length, to };
  });
}

function quote(value: string): string {
  return /^[\w.:/-]+$/.test(value) ? value : `'${value.replaceAll("'", "''")}'`;
}
