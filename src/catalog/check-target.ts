import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Finding } from "./finding.ts";
import { standIn } from "./stand-in.ts";
import type { TableShape } from "./table.ts";

/** What is wrong with the target's table whatever the source looks like. */
export function checkTarget(target: TableShape, db: string): Finding[] {
  const instead = standIn(target);
  if (instead !== null) {
    return [
      {
        grade: "error",
        what: `is ${instead} on ${db}`,
        remedy: "Rows go into ordinary or partitioned tables only: create one there, or take it out of the sync.",
      },
    ];
  }
  return [...storageFindings(target, db), ...privilegeFindings(target, db), ...firingFindings(target, db)];
}

function storageFindings(target: TableShape, db: string): Finding[] {
  const findings: Finding[] = [];
  if (target.kind === "partitioned" && target.leaves.length === 0) {
    findings.push({
      grade: "error",
      what: `is partitioned on ${db} and has no partitions`,
      remedy: `Create partitions on ${db}, or a table without.`,
    });
  }
  if (target.persistence === "u") {
    findings.push({
      grade: "warning",
      what: `is unlogged on ${db}: a crash of that server empties it, and nobody sends the rows again`,
      remedy: `On ${db}: alter table ${quoteName(target)} set logged;`,
    });
  }
  return findings;
}

function privilegeFindings(target: TableShape, db: string): Finding[] {
  const { privileges } = target;
  const findings: Finding[] = [];
  if (!privileges.schemaUsage) {
    findings.push({
      grade: "error",
      what: `${privileges.user} may not use the schema ${target.schema} on ${db}`,
      remedy: `On ${db}: grant usage on schema ${quoteIdent(target.schema)} to ${quoteIdent(privileges.user)};`,
    });
  }
  const lacking = (["select", "insert", "update", "delete"] as const).filter((privilege) => !privileges[privilege]);
  if (lacking.length > 0) {
    findings.push({
      grade: "error",
      what: `${privileges.user} may not ${lacking.join(", ")} on ${db}`,
      remedy: `On ${db}: grant ${lacking.join(", ")} on ${quoteName(target)} to ${quoteIdent(privileges.user)};`,
    });
  }
  if (target.rowSecurity) {
    findings.push({
      grade: "error",
      what: `row level security applies to ${privileges.user} on ${db}`,
      remedy: `On ${db}: alter role ${quoteIdent(privileges.user)} bypassrls; or own the table.`,
    });
  }
  return findings;
}

/** What fires although session_replication_role is replica: it changes rows on its own, with the rights of our user (hazard 16). */
function firingFindings(target: TableShape, db: string): Finding[] {
  const fires = ({ enabled }: { enabled: string }): boolean => enabled === "A" || enabled === "R";
  const disable = (kind: string, name: string): string =>
    `Nothing, if that is meant; else on ${db}: alter table ${quoteName(target)} enable ${kind} ${quoteIdent(name)};`;
  const triggers = [...new Set(target.triggers.filter((trigger) => fires(trigger) && !trigger.internal).map((trigger) => trigger.name))];
  return [
    ...triggers.map((name): Finding => ({
      grade: "warning",
      what: `the trigger ${name} on ${db} fires for replicated rows too (ENABLE ALWAYS or REPLICA)`,
      remedy: disable("trigger", name),
    })),
    ...target.rules.filter(fires).map(({ name }): Finding => ({
      grade: "warning",
      what: `the rule ${name} on ${db} rewrites replicated rows too (ENABLE ALWAYS or REPLICA)`,
      remedy: disable("rule", name),
    })),
  ];
}
