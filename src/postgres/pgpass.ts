export type PasswordQuery = { readonly host: string; readonly port: number; readonly dbname: string; readonly user: string };

/** The password of the first line of a pgpass file that matches, or null. Lines are `host:port:dbname:user:password`, `*` matches all. */
export function findPassword(text: string, query: PasswordQuery): string | null {
  const wanted = [query.host, String(query.port), query.dbname, query.user];
  for (const line of text.split(/\r?\n/)) {
    if (line === "" || line.startsWith("#")) continue;
    const fields = splitFields(line);
    if (fields.length < 5) continue;
    if (wanted.every((value, index) => fields[index] === "*" || unescape(fields[index] ?? "") === value)) return unescape(fields[4] ?? "");
  }
  return null;
}

/** Cuts at colons that no backslash protects. */
function splitFields(line: string): string[] {
  return [...line.matchAll(/((?:[^:\\]|\\.|\\$)*)(?::|$)/g)].map((match) => match[1] ?? "");
}

function unescape(field: string): string {
  return field.replace(/\\(.)/g, "$1");
}
