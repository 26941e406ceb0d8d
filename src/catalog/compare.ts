import type { Problem } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import { checkTarget } from "./check-target.ts";
import type { Column } from "./column.ts";
import { compareColumn } from "./compare-column.ts";
import { compareKeys } from "./compare-key.ts";
import { isNextval, sameExpression } from "./default-expression.ts";
import type { Finding, TableComparison } from "./finding.ts";
import { standIn } from "./stand-in.ts";
import type { TableShape } from "./table.ts";

/** Every reason, at once, why rows of `source` cannot or may not become rows of `target`, and how to remove it. */
export function compareTables(source: TableShape, target: TableShape | undefined, options: TableComparison): Problem[] {
  const findings = target === undefined ? [missingTable(source, options)] : compareShapes(source, target, options);
  return findings.map(({ grade, what, remedy }) => ({
    grade: grade === "strict" ? (options.strict ? "error" : "warning") : grade,
    db: options.db,
    table: displayName(source),
    what,
    remedy,
  }));
}

/** The columns whose values travel, in the source's order: those both have and the target does not compute by itself. */
export function carriedColumns(source: Pick<TableShape, "columns">, target: Pick<TableShape, "columns">): string[] {
  const written = new Set(target.columns.filter((column) => column.generated === "").map((column) => column.name));
  return source.columns.filter((column) => written.has(column.name)).map((column) => column.name);
}

function compareShapes(source: TableShape, target: TableShape, options: TableComparison): Finding[] {
  const { db } = options;
  if (standIn(target) !== null) return checkTarget(target, db);
  const targetColumns = new Map(target.columns.map((column) => [column.name, column]));
  return [
    ...checkTarget(target, db),
    ...source.columns.flatMap((column) => {
      const other = targetColumns.get(column.name);
      return other
        ? compareColumn(column, other, {
            db,
            target,
            inKey: options.key.includes(column.name),
            computed: options.computed?.has(column.name) === true,
          })
        : [missingColumn(column, target, db)];
    }),
    ...onlyOnTarget(source, target, options),
    ...(options.extraColumns === "ignored" ? [] : columnOrder(source, target, db)),
    ...compareKeys(source, target, options),
    ...extraConstraints(source, target, db),
  ];
}

function missingTable(source: TableShape, { db, hint }: TableComparison): Finding {
  const meant = hint ? `; ${hint} does` : "";
  return { grade: "error", what: `does not exist on ${db}${meant}`, remedy: `Create it on ${db}, or take it out of the sync.` };
}

function missingColumn(column: Column, target: TableShape, db: string): Finding {
  return {
    grade: "error",
    what: `column ${column.name} does not exist on ${db}`,
    remedy: `On ${db}: alter table ${quoteName(target)} add column ${quoteIdent(column.name)} ${column.type}${filling(column)};`,
  };
}

/** Rows that are there get the default; without one, a column that must have a value can only be made so when they have theirs. */
function filling({ defaultExpression, generated, notNull }: Column): string {
  if (defaultExpression === null || generated !== "" || isNextval(defaultExpression)) return "";
  return ` default ${defaultExpression}${notNull ? " not null" : ""}`;
}

function onlyOnTarget(source: TableShape, target: TableShape, { db, extraColumns }: TableComparison): Finding[] {
  const known = new Set(source.columns.map((column) => column.name));
  return target.columns
    .filter((column) => !known.has(column.name))
    .flatMap((column): Finding | [] => {
      const alter = `On ${db}: alter table ${quoteName(target)}`;
      if (column.notNull && column.defaultExpression === null && column.identity === "" && column.generated === "") {
        return {
          grade: "error",
          what: `column ${column.name} exists only on ${db} and is NOT NULL without a default`,
          remedy: `${alter} alter column ${quoteIdent(column.name)} drop not null; or give it a default.`,
        };
      }
      if (extraColumns === "ignored") return [];
      return {
        grade: extraColumns === true ? "warning" : "strict",
        what: `column ${column.name} exists only on ${db}`,
        remedy: `${alter} drop column ${quoteIdent(column.name)}; or strict_checking=off.`,
      };
    });
}

/** Order of the columns both have; those only one has are reported by themselves. */
function columnOrder(source: TableShape, target: TableShape, db: string): Finding[] {
  const common = (one: TableShape, other: TableShape): string[] =>
    one.columns.map((column) => column.name).filter((name) => other.columns.some((column) => column.name === name));
  const [here, there] = [common(source, target), common(target, source)];
  const at = here.findIndex((name, index) => there[index] !== name);
  if (at < 0) return [];
  return [
    {
      grade: "strict",
      what: `columns stand in another order: ${here[at]} on the source where ${there[at]} is on ${db}`,
      remedy: "Nothing is lost by it, as columns go by name: strict_checking=off, or create the table again with the same order.",
    },
  ];
}

/** CHECK and EXCLUDE constraints that only the target has, so that rows of the source may be refused. */
function extraConstraints(source: TableShape, target: TableShape, db: string): Finding[] {
  return target.constraints
    .filter(
      (constraint) =>
        !source.constraints.some((known) => known.kind === constraint.kind && sameExpression(known.definition, constraint.definition)),
    )
    .map((constraint) => ({
      grade: "warning",
      what: `the ${constraint.kind} constraint ${constraint.name} exists only on ${db}: a row that it refuses stops the sync`,
      remedy: `Add it to the source, or on ${db}: alter table ${quoteName(target)} drop constraint ${quoteIdent(constraint.name)};`,
    }));
}
