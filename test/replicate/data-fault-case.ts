/** A row that a target refuses. % is the table of the case; values hold SECRET, which no message may repeat. */
export type DataFaultCase = {
  readonly what: string;
  readonly source: string;
  readonly target: string;
  /** On the target, before the write. */
  readonly before?: string;
  readonly write: string;
  readonly sqlstate: string;
  readonly code?: string;
  /** What of the row the message names beside its table. */
  readonly names: string;
  readonly key: string;
  /** Key of the row as the set-aside table has it; the rows written otherwise arrive. */
  readonly mend: string;
  readonly sourceEncoding?: string;
  readonly targetEncoding?: string;
};

const plain = "create table % (id int primary key, v text, w int)";

export const dataFaults: readonly DataFaultCase[] = [
  {
    what: "a CHECK that only the target has",
    source: plain,
    target: "create table % (id int primary key, v text constraint no_secrets check (v <> 'SECRET'), w int)",
    write: "insert into % select i, case i when 77 then 'SECRET' else 'fine' end, i from generate_series(1, 200) i",
    sqlstate: "23514",
    names: "no_secrets",
    key: "id=77",
    mend: "alter table % drop constraint no_secrets",
  },
  {
    what: "a column that may not be NULL on the target",
    source: plain,
    target: "create table % (id int primary key, v text, w int not null)",
    write: "insert into % select i, 'SECRET', nullif(i, 3) from generate_series(1, 5) i",
    sqlstate: "23502",
    names: '"w"',
    key: "id=3",
    mend: "alter table % alter w drop not null",
  },
  {
    what: "a column that is too short on the target",
    source: "create table % (part text, id int, v varchar(30), primary key (part, id))",
    target: "create table % (part text, id int, v varchar(6), primary key (part, id))",
    write: "insert into % select 'p', i, case i when 41 then 'SECRET too long' else 'fits' end from generate_series(1, 50) i",
    sqlstate: "22001",
    names: '"v"',
    key: "part=p, id=41",
    mend: "alter table % alter v type varchar(30)",
  },
  {
    what: "a value that a domain of the target refuses",
    source: plain,
    target: "create domain %_even as int constraint even_only check (value % 2 = 0); create table % (id int primary key, v text, w %_even)",
    write: "insert into % values (1, 'SECRET', 2), (2, 'SECRET', 3), (3, 'SECRET', 4)",
    sqlstate: "23514",
    names: "even_only",
    key: "id=2",
    mend: "alter table % alter w type int",
  },
  {
    what: "a unique value that a row of the target's own holds",
    source: plain,
    target: "create table % (id int primary key, v text constraint v_once unique, w int)",
    before: "insert into % values (1000, 'SECRET', 0)",
    write: "insert into % select i, case i when 5 then 'SECRET' else 'v' || i end, i from generate_series(1, 9) i",
    sqlstate: "23505",
    names: "v_once",
    key: "id=5",
    mend: "delete from % where id = 1000",
  },
  {
    what: "a unique index over an expression that only the target has",
    source: plain,
    target: "create table % (id int primary key, v text, w int); create unique index %_lower on % (lower(v)) where w > 0",
    write: "insert into % values (1, 'secret', 0), (2, 'SECRET', 1), (3, 'Secret', 1), (4, 'SeCret', 0)",
    sqlstate: "23505",
    names: "_lower",
    key: "id=3",
    mend: "drop index %_lower",
  },
  {
    what: "an exclusion constraint that only the target has",
    source: "create table % (id int primary key, v int4range)",
    target: "create table % (id int primary key, v int4range, constraint apart exclude using gist (v with &&))",
    write: "insert into % values (1, '[1,5)'), (2, '[5,9)'), (3, '[8,10)'), (4, '[10,11)')",
    sqlstate: "23P01",
    names: "apart",
    key: "id=3",
    mend: "alter table % drop constraint apart",
  },
  {
    what: "a trigger of the target that fires always and raises",
    source: plain,
    target: `create table % (id int primary key, v text, w int);
      create function %_raise() returns trigger language plpgsql as $$ begin if new.w = 13 then raise 'no % here', new.v; end if; return new; end $$;
      create trigger unlucky before insert on % for each row execute procedure %_raise(); alter table % enable always trigger unlucky`,
    write: "insert into % values (12, 'SECRET', 12), (13, 'SECRET', 13), (14, 'SECRET', 14)",
    sqlstate: "P0001",
    names: "exception",
    key: "id=13",
    mend: "drop trigger unlucky on %",
  },
  {
    what: "a character that the target's encoding does not have",
    source: "create table % (id int primary key, v text)",
    target: "create table % (id int primary key, v text)",
    write: "insert into % values (1, 'SECRET caf\u00e9'), (2, 'SECRET \u4f60'), (3, 'SECRET plain')",
    sqlstate: "22P05",
    code: "encoding",
    names: '"v"',
    key: "id=2",
    mend: "select 1",
    targetEncoding: "LATIN1",
  },
];
