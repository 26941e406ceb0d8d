import type { Problem } from "../model/error.ts";
import { quoteIdent, quoteLiteral } from "../postgres/quote.ts";
import type { SchemaObject } from "./object.ts";
import { looseObject, settingText } from "./settings.ts";
import type { Membership, Role, Roles } from "./roles.ts";

export type RolePlan = {
  /** Of stage `role`, in an order in which they can be made. */
  readonly objects: readonly SchemaObject[];
  readonly problems: readonly Problem[];
};

export type RoleContext = {
  /** Name of the target, for reports. */
  readonly db: string;
  readonly targetVersion: number;
  /** Roles to carry; null for all. Those that they are members of come with them. */
  readonly wanted: ReadonlySet<string> | null;
  /** False: what only a superuser may give is left out, and reported. */
  readonly superuser: boolean;
};

/** What is missing on the target, and how what is there differs. Pure. */
export function planRoles(source: Roles, target: Roles, context: RoleContext): RolePlan {
  const wanted = withGroups(source, context.wanted);
  const present = new Map(target.roles.map((role) => [role.name, role]));
  const mine = source.roles.filter((role) => wanted.has(role.name));
  const missing = mine.filter((role) => !present.has(role.name));
  const problems = mine.flatMap((role) => {
    const there = present.get(role.name);
    return there === undefined ? unusual(role, source, context) : differences(role, there, context);
  });
  const known = new Set([...present.keys(), ...missing.map(({ name }) => name)]);
  const memberships = missingMemberships(source, target, wanted).filter(({ role }) => known.has(role) || role.startsWith("pg_"));
  const objects = [
    ...missing.map((role) => object(`ROLE ${role.name}`, role.name, createRole(role, context))),
    ...missing.flatMap((role) => role.settings.map((setting) => roleSetting(role, setting))),
    ...memberships.map((each) => object(`MEMBERSHIP ${each.role} of ${each.member}`, each.role, [grant(each, context)])),
  ];
  return { objects, problems };
}

function withGroups({ roles, memberships }: Roles, wanted: ReadonlySet<string> | null): Set<string> {
  const all = new Set(wanted ?? roles.map(({ name }) => name));
  for (let before = -1; before !== all.size;) {
    before = all.size;
    for (const { role, member } of memberships) if (all.has(member)) all.add(role);
  }
  return all;
}

function missingMemberships(source: Roles, target: Roles, wanted: ReadonlySet<string>): Membership[] {
  const there = new Set(target.memberships.map(({ role, member }) => JSON.stringify([role, member])));
  return source.memberships.filter(({ role, member }) => wanted.has(member) && !there.has(JSON.stringify([role, member])));
}

function createRole(role: Role, { superuser }: RoleContext): string[] {
  const words = [
    superuser && role.superuser ? "SUPERUSER" : "",
    role.inherit ? "" : "NOINHERIT",
    role.createRole ? "CREATEROLE" : "",
    role.createDb ? "CREATEDB" : "",
    role.login ? "LOGIN" : "",
    superuser && role.replication ? "REPLICATION" : "",
    superuser && role.bypassRls ? "BYPASSRLS" : "",
    role.connectionLimit === -1 ? "" : `CONNECTION LIMIT ${role.connectionLimit}`,
    role.password === null ? "" : `PASSWORD ${quoteLiteral(role.password)}`,
    role.validUntil === null ? "" : `VALID UNTIL ${quoteLiteral(role.validUntil)}`,
  ].filter((text) => text !== "");
  const name = quoteIdent(role.name);
  const comment = role.comment === null ? [] : [`COMMENT ON ROLE ${name} IS ${quoteLiteral(role.comment)}`];
  return [`CREATE ROLE ${name}${words.length === 0 ? "" : ` WITH ${words.join(" ")}`}`, ...comment];
}

/** By itself: another version may not know it, and the role is needed all the same. */
function roleSetting({ name }: Role, setting: string): SchemaObject {
  const id = `SETTING ${setting.slice(0, setting.indexOf("="))} of ${name}`;
  return object(id, name, [`ALTER ROLE ${quoteIdent(name)} SET ${settingText(setting)}`]);
}

function grant({ role, member, admin, inherit, set }: Membership, { targetVersion }: RoleContext): string {
  const options =
    targetVersion >= 160000
      ? [`ADMIN ${word(admin)}`, `INHERIT ${word(inherit)}`, `SET ${word(set)}`].join(", ")
      : admin
        ? "ADMIN OPTION"
        : "";
  return `GRANT ${quoteIdent(role)} TO ${quoteIdent(member)}${options === "" ? "" : ` WITH ${options}`}`;
}

function word(value: boolean): string {
  return value ? "TRUE" : "FALSE";
}

const attributes = {
  superuser: "SUPERUSER",
  inherit: "INHERIT",
  createRole: "CREATEROLE",
  createDb: "CREATEDB",
  login: "LOGIN",
  replication: "REPLICATION",
  bypassRls: "BYPASSRLS",
} as const satisfies Partial<Record<keyof Role, string>>;

/** A role that exists is nobody's to change but the administrator's. */
function differences(here: Role, there: Role, { db }: RoleContext): Problem[] {
  const wrong = (Object.keys(attributes) as (keyof typeof attributes)[]).filter((name) => here[name] !== there[name]);
  const words = wrong.map((name) => (here[name] ? attributes[name] : `NO${attributes[name]}`));
  if (here.connectionLimit !== there.connectionLimit) words.push(`CONNECTION LIMIT ${here.connectionLimit}`);
  if (here.validUntil !== there.validUntil) words.push(`VALID UNTIL ${quoteLiteral(here.validUntil ?? "infinity")}`);
  const name = quoteIdent(here.name);
  const problems: Problem[] = [];
  if (words.length > 0)
    problems.push({
      grade: "warning",
      db,
      what: `role ${here.name} is there already, with other attributes`,
      remedy: `If it shall be as on the old side: alter role ${name} ${words.join(" ")};`,
    });
  if (here.password !== null && there.password !== null && here.password !== there.password)
    problems.push({
      grade: "warning",
      db,
      what: `role ${here.name} is there already, with another password`,
      remedy: "Check that its users can log in on both sides.",
    });
  const settings = here.settings.filter((setting) => !there.settings.includes(setting));
  if (settings.length > 0)
    problems.push({
      grade: "warning",
      db,
      what: `role ${here.name} is there already, with other settings`,
      remedy: `If they shall be as on the old side: ${settings.map((setting) => `alter role ${name} set ${settingText(setting)};`).join(" ")}`,
    });
  return problems;
}

/** What a role that is made will lack. */
function unusual(role: Role, source: Roles, { db, superuser }: RoleContext): Problem[] {
  const problems: Problem[] = [];
  if (role.login && !source.passwords)
    problems.push({
      grade: "warning",
      db,
      what: `role ${role.name} arrives without a password: we may not read it on the old side`,
      remedy: `After the move: alter role ${quoteIdent(role.name)} password '...'; or connect to the old side as a superuser.`,
    });
  if (role.password?.startsWith("md5") === true)
    problems.push({
      grade: "warning",
      db,
      what: `role ${role.name} has an MD5 password, which new versions are about to refuse`,
      remedy: "Set the password anew with password_encryption = 'scram-sha-256', and check pg_hba.conf of the new side.",
    });
  const lost = superuser
    ? []
    : (["superuser", "replication", "bypassRls"] as const).filter((name) => role[name]).map((name) => attributes[name]);
  if (lost.length > 0)
    problems.push({
      grade: "warning",
      db,
      what: `role ${role.name} arrives without ${lost.join(", ")}: only a superuser gives that`,
      remedy: `As a superuser there: alter role ${quoteIdent(role.name)} ${lost.join(" ")};`,
    });
  return problems;
}

function object(id: string, name: string, statements: readonly string[]): SchemaObject {
  return looseObject({ id, kind: id.slice(0, id.indexOf(" ")), name, stage: "role", statements });
}
