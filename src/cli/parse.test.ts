import { describe, expect, test } from "vitest";
import { globalOptions } from "../config/options.ts";
import { BucardoError } from "../model/error.ts";
import { spell } from "../operations/operation.ts";
import { operations } from "../operations/registry.ts";
import { helpOperation } from "./help-operation.ts";
import { parse } from "./parse.ts";

const grammar = { program: "bucardo", operations: [...operations, helpOperation(operations, globalOptions)], options: globalOptions };

function understand(line: string): { command: string | null; input: object; options: object } {
  const { operation, input, options } = parse(line === "" ? [] : line.split(" "), grammar);
  return { command: operation === null ? null : spell(operation), input, options };
}

function refusal(line: string): BucardoError {
  try {
    parse(line.split(" "), grammar);
  } catch (error) {
    if (error instanceof BucardoError) return error;
    throw error;
  }
  throw new Error(`understood: ${line}`);
}

const PEPPER = { name: ["pepper"], type: "pushdelta", source: "oldalpha", targetdb: "newalpha", tables: ["accounts"], autokick: "false" };

describe("the article's lines", () => {
  test.each([
    ["install --dbport=5566 --piddir=/tmp/bctest", "install", {}, { dbport: "5566", piddir: "/tmp/bctest" }],
    ["add db alpha name=oldalpha port=5555", "add db", { names: ["alpha"], name: "oldalpha", port: "5555" }, {}],
    ["add sync pepper type=pushdelta source=oldalpha targetdb=newalpha tables=accounts ping=false", "add sync", PEPPER, {}],
    ["status pepper", "status", { syncs: ["pepper"] }, {}],
    ["kick pepper 0", "kick", { syncs: ["pepper", "0"] }, {}],
    ["stop", "stop", { reason: [] }, {}],
  ])("%s", (line, command, input, options) => {
    expect(understand(line)).toEqual({ command, input, options });
  });
});

describe("one meaning, many spellings", () => {
  test.each([
    "add sync pepper type:pushdelta source:oldalpha targetdb:newalpha tables:accounts ping:false",
    "add sync pepper --type=pushdelta --source=oldalpha --targetdb=newalpha --tables=accounts --ping=false",
    "add sync pepper --type pushdelta --source oldalpha --targetdb newalpha --tables accounts --ping false",
    "add synk pepper synctype=pushdelta sourcedb=oldalpha target=newalpha relations=accounts autokick=false",
    "ADD SYNC pepper TYPE=pushdelta SOURCE=oldalpha TargetDb=newalpha table=accounts PING=false",
    "add_sync pepper type=pushdelta source=oldalpha targetdb=newalpha tables=accounts ping=false",
    "type=pushdelta add sync pepper source=oldalpha targetdb=newalpha tables=accounts ping=false".replace(
      "type=pushdelta add",
      "--type=pushdelta add",
    ),
  ])("%s", (line) => {
    expect(understand(line)).toMatchObject({ command: "add sync", input: PEPPER });
  });

  test.each([
    ["list dbs", "list dbs"],
    ["l db", "list dbs"],
    ["lsit database", "list dbs"],
    ["list herds", "list relgroups"],
    ["list relgr", "list relgroups"],
    ["list dbg", "list dbgroups"],
    ["list seq", "list sequences"],
    ["list tab", "list tables"],
    ["list config", "show"],
    ["config", "show"],
    ["config show all", "show"],
    ["config set log_level=debug", "set"],
    ["remove herd x", "remove relgroup"],
    ["del db x", "remove db"],
    ["delete sync x", "remove sync"],
    ["upd db x port=1", "update db"],
    ["udpate sync x ping=0", "update sync"],
    ["alter sync x ping=0", "update sync"],
    ["upgr", "upgrade"],
    ["vali all", "validate"],
    ["add all tables", "add all tables"],
    ["add tables all", "add all tables"],
    ["add all sequences", "add all sequences"],
    ["remove tables all", "remove all tables"],
    ["reload_config", "reload config"],
    ["reload", "reload"],
    ["strt", "start"],
    ["msg hello", "message"],
    ["deltas", "delta"],
    ["installl --batch", "install"],
    ["help add sync", "help"],
  ])("%s", (line, command) => {
    expect(understand(line).command).toBe(command);
  });
});

describe("words", () => {
  test.each([
    ["kick sync x y 10", { syncs: ["x", "y", "10"] }],
    ["validate sync x", { syncs: ["x"] }],
    ["add dbgroup g A:source B:target:pri=2 C=5", { words: ["g", "A:source", "B:target:pri=2", "C=5"] }],
    ["add sync s dbs=A:source,B:target tables=a,b,c", { name: ["s"], dbs: ["A:source", "B:target"], tables: ["a", "b", "c"] }],
    ["add sync s dbs=A dbs=B tables=a table=b", { name: ["s"], dbs: ["A", "B"], tables: ["a", "b"] }],
    ["add db A:source,B dbname=x,y", { names: ["A:source,B"], dbname: "x,y" }],
    ["add db A dbname=x conn=sslmode=require", { names: ["A"], dbname: "x", conn: "sslmode=require" }],
    ["set log_level=debug purge_interval=5", { pairs: ["log_level=debug", "purge_interval=5"] }],
    ["message a=b c:d", { words: ["a=b", "c:d"] }],
    ["list syncs active ping=false x*", { filters: ["active", "ping=false", "x*"] }],
    [
      "add all tables -n public -N audit --pkonly -t a -t b db=A",
      { schema: ["public"], exclude_schema: ["audit"], pkonly: "true", table: ["a", "b"], db: "A" },
    ],
    ["add db A dbname=x --addalltables --addallsequences=no", { names: ["A"], dbname: "x", addalltables: "true", addallsequences: "no" }],
    ["update table public.t set ping=off pkey=", { names: ["public.t", "set"], autokick: "off", pkey: [] }],
    ["list dbs -- --odd", { names: ["--odd"] }],
  ])("%s", (line, input) => {
    expect(understand(line).input).toEqual(input);
  });
});

describe("options stand anywhere", () => {
  test.each([
    ["--dbport=1 list dbs", { dbport: "1" }],
    ["list --dbport 1 dbs", { dbport: "1" }],
    ["list dbs -p1", { dbport: "1" }],
    ["list dbs -p 1 -U me", { dbport: "1", dbuser: "me" }],
    ["list dbs --db-port=1", { dbport: "1" }],
    ["list dbs --DBPORT=1", { dbport: "1" }],
    ["list dbs -vv", { verbose: 2 }],
    ["list dbs -v -v", { verbose: 2 }],
    ["list dbs --verbose=3", { verbose: 3 }],
    ["list dbs --vv", { vv: true }],
    ["list dbs --verb", { verbose: 1 }],
    ["list dbs -qv", { quiet: 1, verbose: 1 }],
    ["list dbs --dry-run --confirm", { dryrun: true, confirm: true }],
    ["list dbs --no-bucardorc", { bucardorc: false }],
    ["list dbs --bucardorc=x", { bucardorc: "x" }],
    ["list dbs --log-dest=stderr --log-destination=/x", { "log-destination": ["stderr", "/x"] }],
    ["--version", { version: true }],
    ["-?", { help: true }],
  ])("%s", (line, options) => {
    expect(understand(line).options).toEqual(options);
  });

  test("nothing at all is no command", () => {
    expect(understand("")).toEqual({ command: null, input: {}, options: {} });
  });
});

describe("one short line for what is not understood", () => {
  test.each([
    ["kik pepper", 'There is no command "kik". Did you mean "kick"?'],
    ["add tabel x", 'There is no command "add tabel". Did you mean "add table"?'],
    ["list dbs --jsn", "There is no option --jsn. Did you mean --json?"],
    ["list dbs -x", "There is no option -x."],
    ["list dbs -json", "There is no option -json. Long options have two dashes: --json"],
    ["add sync s tabels=a dbs=A", "`add sync` has no key tabels. Did you mean tables=?"],
    ["add sync s dbs=A --tabels=a", "There is no option --tabels. Did you mean --tables?"],
    ["add sync", "`add sync` needs NAME."],
    ["add sync a b dbs=A tables=x", '"b" is too much.'],
    ["add db x port=1 port=2", "port is given twice, with different values. Give it once."],
    ["list dbs --dbport", "--dbport needs a value."],
    ["upgrade now", '`upgrade` takes no words; "now" is too much.'],
  ])("%s", (line, message) => {
    expect(refusal(line)).toMatchObject({ code: "usage", exit: 1, message });
  });

  test("all of it at once", () => {
    const { details } = refusal("add sync --foo=1 bar=2");
    expect(details.problems?.map(({ what }) => what)).toEqual([
      "There is no option --foo",
      "`add sync` has no key bar",
      "`add sync` needs NAME",
    ]);
  });

  test.each(["clone x"])("%s is known, and not offered", (line) => {
    expect(refusal(line).code).toBe("not-supported");
  });
});
