/** A type whose values name rows. Values are SQL expressions; at least two, all different as keys. */
export type KeyCase = {
  readonly name: string;
  readonly type: string;
  readonly values: readonly string[];
  /** First major that has it, on both sides. */
  readonly since?: number;
  /** Statements before the tables. */
  readonly setup?: string;
  /** The first of the values, written so that it is equal as a key and yet different as text. */
  readonly lookalike?: string;
};

/** Texts that COPY, arrays, composites and quoting functions have to escape. */
const nasty = [
  "''",
  "'it''s \"quoted\"'",
  "E'back\\\\slash'",
  "E'tab\\there'",
  "E'new\\nline and \\r return'",
  "E'\\\\.'",
  "E'\\\\N'",
  "'NULL'",
  "' blanks '",
  "'{curly,comma}'",
  "'(paren)'",
  "'ünïcödé 漢字 😀'",
  "'$bucardo$'",
  "'%s %I'",
];

const extensions = `
  create schema "Odd Ext"; create extension citext schema "Odd Ext"; create extension hstore; create extension ltree schema "Odd Ext";`;

const userTypes = `
  create domain d_plain as text check (value <> 'forbidden');
  create domain d_nested as d_plain not null check (length(value) < 40);
  create domain d_number as numeric(12, 3) check (value > -1000);
  create type mood as enum ('sad', 'so so', 'it''s "OK"', 'Happy', E'back\\\\slash', ',');
  create domain d_mood as mood check (value <> 'sad');
  create type pair as (a int, "B b" text);
  create type nested as (p pair, at timestamptz);
  create type floatrange as range (subtype = float8, subtype_diff = float8mi);`;

export const keyCases: readonly KeyCase[] = [
  { name: "text", type: "text", values: nasty, setup: extensions + userTypes },
  { name: "text_c", type: 'text collate "C"', values: nasty },
  { name: "varchar", type: "varchar(30)", values: nasty },
  { name: "bpchar", type: "char(12)", values: ["'a'", "' a'", "E'b\\\\'", "E'\\t'", "'ü'", "'twelve chars'"] },
  { name: "bpchar_free", type: "bpchar", values: ["'a'", "'b '", "'c'", "'d'"], lookalike: "'a   '" },
  { name: "name", type: "name", values: ["'plain'", "'With Blank'", "'quote\"d'", "repeat('ü', 31)::name"] },
  { name: "char1", type: '"char"', values: ["'a'", "'\\'", "''''", "' '"] },
  {
    name: "bytea",
    type: "bytea",
    values: ["'\\x'", "'\\x00'", "'\\x0000'", "'\\x5c4e'", "'\\x0a0d09'", "'\\xff00fe'", "decode(repeat('ab', 600), 'hex')"],
  },
  { name: "int2", type: "int2", values: ["-32768", "-1", "0", "32767"] },
  { name: "int4", type: "int4", values: ["-2147483648", "0", "7", "2147483647"] },
  { name: "int8", type: "int8", values: ["-9223372036854775808", "-1", "9007199254740993", "9007199254740992", "9223372036854775807"] },
  { name: "oid", type: "oid", values: ["0", "2147483648", "17", "4294967295"] },
  { name: "regtype", type: "regtype", values: ["'int4'", "'text'", "'mood'", "'pg_class'"] },
  {
    name: "numeric",
    type: "numeric",
    values: ["1.0", "0", "'NaN'", "1e-100", "-12345678901234567890.0123456789", "1e30", "2"],
    lookalike: "1.000",
  },
  { name: "numeric_inf", type: "numeric", values: ["'Infinity'", "'-Infinity'", "0", "1"], since: 14 },
  { name: "numeric_cut", type: "numeric(10,2)", values: ["0", "0.01", "-99999999.99", "1.5"] },
  {
    name: "float8",
    type: "float8",
    values: ["0", "'NaN'", "'Infinity'", "'-Infinity'", "1e-300", "0.1::float8 + 0.2::float8", "pi()"],
    lookalike: "'-0'",
  },
  { name: "float4", type: "float4", values: ["0", "'NaN'", "'Infinity'", "0.1", "16777217", "1e-38"], lookalike: "'-0'" },
  { name: "money", type: "money", values: ["'0'", "'-12.34'", "'92233720368547758.07'", "'1'"] },
  { name: "bool", type: "boolean", values: ["true", "false"] },
  { name: "date", type: "date", values: ["'infinity'", "'-infinity'", "'4713-01-01 BC'", "'5874897-12-31'", "'2024-02-29'"] },
  { name: "time", type: "time", values: ["'00:00'", "'24:00'", "'12:34:56.789012'", "'23:59:60'::time - interval '1 us'"] },
  { name: "timetz", type: "timetz", values: ["'12:00+02'", "'10:00+00'", "'00:00-15:59'", "'24:00+00'"] },
  {
    name: "timestamp",
    type: "timestamp",
    values: ["'infinity'", "'-infinity'", "'4713-01-01 BC'", "'294276-12-31 23:59:59.999999'", "'2024-02-29 12:34:56.000001'"],
  },
  {
    name: "timestamptz",
    type: "timestamptz",
    values: [
      "'infinity'",
      "'-infinity'",
      "'4713-01-01 00:00+00 BC'",
      "'2024-10-27 02:30:00.123456+02'",
      "'2024-10-27 02:30:00.123456+01'",
      "'1883-11-18 12:00:00 America/New_York'",
    ],
  },
  { name: "interval", type: "interval", values: ["'1 mon'", "'-1 day +02:03:04.5'", "'178000000 years'", "'0'"], lookalike: "'30 days'" },
  { name: "uuid", type: "uuid", values: ["'00000000-0000-0000-0000-000000000000'", "md5('a')::uuid", "md5('b')::uuid", "md5('c')::uuid"] },
  { name: "inet", type: "inet", values: ["'10.0.0.1'", "'10.0.0.1/8'", "'::1'", "'2001:db8::/32'"] },
  { name: "cidr", type: "cidr", values: ["'10.0.0.0/8'", "'10.0.0.0/9'", "'::/0'", "'192.168.1.1/32'"] },
  { name: "macaddr", type: "macaddr", values: ["'08:00:2b:01:02:03'", "'ff:ff:ff:ff:ff:ff'", "'00:00:00:00:00:00'"] },
  { name: "macaddr8", type: "macaddr8", values: ["'08:00:2b:01:02:03:04:05'", "'ff:ff:ff:ff:ff:ff:ff:ff'", "'00:00:00:00:00:00:00:01'"] },
  { name: "bit", type: "bit(8)", values: ["B'00000000'", "B'10101010'", "B'11111111'", "B'00000001'"] },
  { name: "varbit", type: "varbit", values: ["B''", "B'0'", "B'00'", "B'1'"] },
  { name: "pg_lsn", type: "pg_lsn", values: ["'0/0'", "'0/1'", "'FFFFFFFF/FFFFFFFF'", "'16/B374D848'"] },
  { name: "xid8", type: "xid8", values: ["'0'", "'18446744073709551615'", "'7'"], since: 13 },
  { name: "tsvector", type: "tsvector", values: ["''", "'a b:2A'", "$$'it''s':1 'x\\\\y':2$$", "'fat:2,4 cat:3'"] },
  { name: "jsonb", type: "jsonb", values: [`'{"a":1.0}'`, `'{"a":[1,"\\u00fc\\t\\\\"]}'`, "'null'", `'""'`], lookalike: `'{"a":1.000}'` },
  { name: "domain", type: "d_nested", values: nasty },
  { name: "domain_number", type: "d_number", values: ["0", "-999.999", "123456789.125", "1"] },
  { name: "enum", type: "mood", values: ["'sad'", `'it''s "OK"'`, "'so so'", "E'back\\\\slash'", "','"] },
  { name: "domain_enum", type: "d_mood", values: ["'Happy'", `'it''s "OK"'`, "'so so'", "','"] },
  { name: "citext", type: '"Odd Ext".citext', values: ["'Straße'", ...nasty], lookalike: "'STRAße'" },
  { name: "hstore", type: "hstore", values: ["''", `'a=>1, b=>NULL'`, `'"q\\"uote"=>"back\\\\slash"'`, "'a=>2'"] },
  { name: "ltree", type: '"Odd Ext".ltree', values: ["''", "'Top'", "'Top.Science'", "'Top.Science.Astronomy'"] },
  { name: "int_array", type: "int[]", values: ["'{}'", "'{1,NULL,3}'", "'{{1,2},{3,4}}'", "'[0:2]={1,2,3}'", "'{1,2,3}'"] },
  { name: "text_array", type: "text[]", values: ["'{}'", `array[${nasty.join(", ")}]`, "array[null::text]", "array['NULL']"] },
  { name: "enum_array", type: "mood[]", values: ["'{}'", `array['sad', 'it''s "OK"']::mood[]`, "'{sad}'", "array[',']::mood[]"] },
  { name: "domain_array", type: "d_plain[]", values: ["'{}'", "'{a,b}'", "array['it''s', '\"']::d_plain[]", "'{NULL}'"], since: 11 },
  { name: "int4range", type: "int4range", values: ["'empty'", "'[1,5)'", "'(,)'", "'[7,)'"] },
  { name: "numrange", type: "numrange", values: ["'[1.0,2.0)'", "'empty'", "'(,3]'", "'[1,1]'"], lookalike: "'[1.00,2.000)'" },
  { name: "tstzrange", type: "tstzrange", values: ["'[-infinity,infinity]'", "'[2024-01-01,2024-02-01)'", "'empty'", "'(,)'"] },
  { name: "floatrange", type: "floatrange", values: ["'[0,0.5]'", "'[0.5,0.75)'", "'empty'", "'(,)'"] },
  { name: "multirange", type: "int4multirange", values: ["'{}'", "'{[1,3),[5,7)}'", "'{(,)}'", "'{[9,)}'"], since: 14 },
  {
    name: "composite",
    type: "pair",
    values: ["(1, 'x')", "(null, null)", "(2, null)", ...nasty.map((text, index) => `(${10 + index}, ${text})`)],
  },
  {
    name: "nested",
    type: "nested",
    values: ["((1, 'a(b'), 'infinity')", "(null, null)", "((2, 'say \"hi\"'), '2024-01-01')", "((3, ','), null)"],
  },
  {
    name: "no_case",
    type: "text collate no_case",
    values: ["'Apple'", "'pear'", "'ÄPFEL'", "'Plum'"],
    lookalike: "'APPLE'",
    since: 12,
    setup: "create collation no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
  },
];

export function casesFor(...majors: readonly number[]): KeyCase[] {
  return keyCases.filter(({ since = 0 }) => majors.every((major) => major >= since));
}
