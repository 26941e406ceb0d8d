/** A type that can be a key, with literals that are close enough to each other to collide: equal but not the same, quoted, escaped, empty. */
export type KeyType = { readonly type: string; readonly literals: readonly string[] };

export const keyTypes: Readonly<Record<string, KeyType>> = {
  int: { type: "int", literals: ["0", "1", "2", "3", "4", "-5", "2147483647", "-2147483648"] },
  bigint: { type: "bigint", literals: ["0", "1", "2", "9007199254740993", "-9223372036854775808", "9223372036854775807"] },
  text: {
    type: "text",
    literals: ["''", "'a'", "'A'", "'a '", "E'tab\\tline\\n'", "'quote'' \"double\"'", "E'back\\\\slash \\\\N'", "'ähre 漢'"],
  },
  varchar: { type: "varchar(10)", literals: ["'x'", "'y'", "'\\N'", "'NULL'"] },
  char: { type: "char(3)", literals: ["'a'", "'ab'", "'abc'", "''"] },
  uuid: { type: "uuid", literals: ["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"] },
  numeric: { type: "numeric", literals: ["0", "1", "1.0", "1.00", "2", "'NaN'", "123456789012345678901234567890.5"] },
  float: { type: "float8", literals: ["0", "'-0'", "1", "0.5", "'NaN'", "'Infinity'"] },
  date: { type: "date", literals: ["'2000-01-01'", "'0001-01-01 BC'", "'infinity'", "'9999-12-31'"] },
  timestamptz: { type: "timestamptz", literals: ["'2020-02-29 12:00:00.000001+00'", "'2020-02-29 12:00:00.000002+00'", "'-infinity'"] },
  bytea: { type: "bytea", literals: ["'\\x'", "'\\x00'", "'\\x0001'", "'\\x5c'", "'\\xff'"] },
  bool: { type: "boolean", literals: ["false", "true"] },
  enum: { type: "public.mood", literals: ["'sad'", "'ok'", "'so happy'"] },
  domain: { type: "public.small", literals: ["1", "2", "3", "4"] },
  citext: { type: "public.citext", literals: ["'a'", "'A'", "'b'", "'ß'"] },
  array: { type: "int[]", literals: ["'{}'", "'{1}'", "'{1,2}'", "'{NULL}'"] },
};

/** Types that come with the schema, on both sides. */
export const prelude = `
  create extension citext schema public;
  create type public.mood as enum ('sad', 'ok', 'so happy');
  create domain public.small as int check (value < 100);
  create type public.pair as (a int, b text);
  create sequence public.tick;`;

export function keyLiteral(type: string, at: number): string {
  const { literals } = keyTypes[type]!;
  return literals[at % literals.length]!;
}

/** Payload columns: type and literals. */
export const payloadTypes: Readonly<Record<string, KeyType>> = {
  int: { type: "int", literals: ["1", "2", "null", "-3"] },
  text: { type: "text", literals: ["'plain'", "null", "''", "E'\\\\.\\n\\t\\\\N'", "repeat('long ', 2000)"] },
  numeric: { type: "numeric(12,3)", literals: ["1.5", "null", "-0.001"] },
  jsonb: { type: "jsonb", literals: [`'{"a": [1, null]}'`, "'null'", "null"] },
  array: { type: "text[]", literals: [`'{a,NULL,"NULL"}'`, "'{}'", "null"] },
  bytea: { type: "bytea", literals: ["'\\x00ff'", "null", "'\\x'"] },
  interval: { type: "interval", literals: ["'1 month -1 day'", "null"] },
  composite: { type: "public.pair", literals: [`row(1, E'a"b\\\\')`, "null", "row(null, '')"] },
};
