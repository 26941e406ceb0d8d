import { splitScript } from "./lexer.ts";

/** An entry of pg_dump's table of contents with its statements, as `pg_dump --verbose` tells it. */
export type Entry = {
  readonly dumpId: number;
  readonly classId: number;
  readonly oid: number;
  /** Of other entries: the object that a comment or a grant belongs to. */
  readonly dependencies: readonly number[];
  readonly tag: string;
  readonly kind: string;
  readonly schema: string | null;
  readonly owner: string | null;
  readonly tablespace: string | null;
  readonly accessMethod: string | null;
  readonly statements: readonly string[];
};

type Draft = { -readonly [Name in keyof Entry]: Entry[Name] } & { statements: string[] };

/** Which settings pg_dump changes between objects; all others it sets once, at the beginning, and our sessions have them. */
const following = /^SET (default_tablespace|default_table_access_method|default_with_oids) = (.*)$/s;

/**
 * The entries of a dump in its order, which is one in which they can be made. Settings and commands for psql are left out; the tablespace and access
 * method that they choose stand in the entries.
 */
export function readEntries(script: string): Entry[] {
  const entries: Draft[] = [];
  let accessMethod: string | null = null;
  let draft: Draft | null = null;
  for (const { kind, text } of splitScript(script)) {
    if (kind === "remark") {
      const begun = /^-- TOC entry (\d+) \(class (\d+) OID (\d+)\)$/.exec(text);
      if (begun) entries.push((draft = emptyEntry(begun)));
      else if (draft) readRemark(draft, text);
      continue;
    }
    const setting = following.exec(text);
    if (setting?.[1] === "default_table_access_method") accessMethod = unquote(setting[2]!);
    if (setting) continue;
    if (draft === null) continue; // the settings at the beginning
    draft.statements.push(text);
    if (accessMethod !== "heap" && (draft.kind === "TABLE" || draft.kind === "MATERIALIZED VIEW")) draft.accessMethod = accessMethod;
  }
  return entries.filter((entry) => entry.statements.length > 0);
}

function emptyEntry([, dumpId, classId, oid]: RegExpExecArray): Draft {
  return {
    dumpId: Number(dumpId),
    classId: Number(classId),
    oid: Number(oid),
    dependencies: [],
    tag: "",
    kind: "",
    schema: null,
    owner: null,
    tablespace: null,
    accessMethod: null,
    statements: [],
  };
}

function readRemark(draft: Draft, text: string): void {
  const dependencies = /^-- Dependencies: ([\d ]+)$/.exec(text);
  if (dependencies) draft.dependencies = dependencies[1]!.split(" ").map(Number);
  // From the right: a name may hold anything that fits in a line.
  const told = /^-- Name: (.*); Type: ([^;]*); Schema: (.*); Owner: (.*?)(?:; Tablespace: (.*))?$/su.exec(text);
  if (!told) return;
  const [, tag, kind, schema, owner, tablespace] = told;
  draft.tag = tag!;
  draft.kind = kind!;
  draft.schema = schema === "-" ? null : schema!;
  draft.owner = owner === "" ? null : owner!;
  draft.tablespace = tablespace ?? null;
}

function unquote(value: string): string {
  if (value.startsWith("'")) return value.slice(1, -1).replaceAll("''", "'");
  return value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value;
}
