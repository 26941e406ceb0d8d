import { quoteIdent, quoteLiteral } from "../postgres/quote.ts";
import { settingText } from "../schema/settings.ts";
import type { Found, Grant } from "./found.ts";

/** Statements that give what a move found its owners and comments again. Before rights, as a new owner inherits those of the old one. Pure. */
export function putThingsBack(before: Found, now: Found): string[] {
  return before.things.flatMap(({ what, owner, comment }) => {
    const there = now.things.find((thing) => thing.what === what);
    if (there === undefined) return [];
    return [
      ...(owner === null || owner === there.owner ? [] : [`alter ${what} owner to ${quoteIdent(owner)}`]),
      ...(comment === there.comment ? [] : [`comment on ${what} is ${quoteLiteral(comment)}`]),
    ];
  });
}

/** The same for rights and settings. `database`: its name. Pure. */
export function putRightsBack(before: Found, now: Found, database: string): string[] {
  return [...rightTexts(before, now), ...defaultTexts(before, now), ...settingTexts(before, now, quoteIdent(database))];
}

/** What is not among the rights that differ has the usual ones. */
function rightTexts(before: Found, now: Found): string[] {
  const wanted = new Map(before.rights.map(({ on, now: grants }) => [on, grants]));
  const present = new Map(now.rights.map(({ on, now: grants }) => [on, grants]));
  return [...now.rights, ...before.rights.filter(({ on }) => !present.has(on))].flatMap(({ on, usual }) =>
    change(present.get(on) ?? usual, wanted.get(on) ?? usual).map(
      ({ verb, privilege, whom, tail }) => `${verb} ${privilege} on ${on} ${whom}${tail}`,
    ),
  );
}

function defaultTexts(before: Found, now: Found): string[] {
  const name = ({ head, kind }: Found["defaults"][number]): string => `${head} on ${kind}`;
  const wanted = new Map(before.defaults.map((each) => [name(each), each.now]));
  const present = new Map(now.defaults.map((each) => [name(each), each.now]));
  return [...now.defaults, ...before.defaults.filter((each) => !present.has(name(each)))].flatMap((each) =>
    change(present.get(name(each)) ?? each.usual, wanted.get(name(each)) ?? each.usual).map(
      ({ verb, privilege, whom, tail }) => `${each.head} ${verb} ${privilege} on ${each.kind} ${whom}${tail}`,
    ),
  );
}

type Change = { readonly verb: "grant" | "revoke"; readonly privilege: string; readonly whom: string; readonly tail: string };

/** All away, then all that shall be: the option to pass a right on could not be taken away alone in one form for all kinds. */
function change(from: readonly Grant[], to: readonly Grant[]): Change[] {
  if (JSON.stringify(from) === JSON.stringify(to)) return [];
  const grantees = [...new Set(from.map((grant) => grant.to))];
  return [
    ...grantees.map((grantee): Change => ({ verb: "revoke", privilege: "all", whom: `from ${roleText(grantee)}`, tail: " cascade" })),
    ...to.map((grant): Change => ({
      verb: "grant",
      privilege: grant.privilege,
      whom: `to ${roleText(grant.to)}`,
      tail: grant.grantable ? " with grant option" : "",
    })),
  ];
}

function roleText(name: string | null): string {
  return name === null ? "public" : quoteIdent(name);
}

function settingTexts(before: Found, now: Found, database: string): string[] {
  const key = (role: string | null): string => JSON.stringify(role);
  const wanted = new Map(before.settings.map(({ role, settings }) => [key(role), settings]));
  const present = new Map(now.settings.map(({ role, settings }) => [key(role), settings]));
  const roles = [...new Set([...now.settings, ...before.settings].map(({ role }) => role))];
  const limit =
    before.connectionLimit === now.connectionLimit ? [] : [`alter database ${database} connection limit ${before.connectionLimit}`];
  return [
    ...limit,
    ...roles.flatMap((role) => {
      const [from, to] = [present.get(key(role)) ?? [], wanted.get(key(role)) ?? []];
      if (JSON.stringify(from) === JSON.stringify(to)) return [];
      const whom = role === null ? `alter database ${database}` : `alter role ${quoteIdent(role)} in database ${database}`;
      return [`${whom} reset all`, ...to.map((setting) => `${whom} set ${settingText(setting)}`)];
    }),
  ];
}
