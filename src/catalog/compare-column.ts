import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { QualifiedName } from "../model/name.ts";
import type { Column } from "./column.ts";
import type { Finding } from "./finding.ts";
import { isNextval, sameExpression } from "./default-expression.ts";
import { crossType } from "./type-crossing.ts";

type Place = { readonly db: string; readonly target: QualifiedName; readonly inKey: boolean; readonly computed?: boolean };

/** All differences between a column of the source and the one of the same name on the target. */
export function compareColumn(source: Column, target: Column, place: Place): Finding[] {
  const alike = (source.generated === "") === (target.generated === "");
  if (place.computed) return [generatedFinding(source, target, place)].filter((finding) => finding !== null);
  return [
    typeFinding(source, target, place),
    place.inKey ? equalityFinding(source, target, place) : null,
    generatedFinding(source, target, place),
    alike ? nullFinding(source, target, place) : null,
    alike ? defaultFinding(source, target, place) : null,
  ].filter((finding) => finding !== null);
}

function alterColumn(column: Column, { db, target }: Place): string {
  return `On ${db}: alter table ${quoteName(target)} alter column ${quoteIdent(column.name)}`;
}

function typeFinding(source: Column, target: Column, place: Place): Finding | null {
  const obstacle = crossType(source, target);
  if (obstacle === null) return null;
  const what = `column ${source.name} is ${source.type} on the source and ${target.type} on ${place.db}: ${obstacle.why}`;
  if (obstacle.grade === "warning") return { grade: "warning", what, remedy: "Nothing, if that is meant." };
  return {
    grade: obstacle.grade,
    what,
    remedy:
      source.type === target.type
        ? `Make the type ${source.type} equal on both sides.`
        : `${alterColumn(source, place)} type ${source.type};`,
  };
}

/** Two keys that are equal on one side and not on the other would make one row of two, or two of one. */
function equalityFinding(source: Column, target: Column, place: Place): Finding | null {
  const [here, there] = [equality(source), equality(target)];
  if (here === there) return null;
  return {
    // In another language most of what was equal still is.
    grade: source.caseLanguage !== null && target.caseLanguage !== null ? "strict" : "error",
    what: `key column ${source.name} compares ${here} on the source and ${there} on ${place.db}, so they disagree on which rows are the same`,
    remedy: `Give the column the same type and collation on both sides; of citext, the language is that of its database.`,
  };
}

function equality(column: Column): string {
  if (column.portableType === "citext:citext") return `without regard to case (citext) in the language ${column.caseLanguage}`;
  if (/^(character\(|bpchar)/.test(column.baseType)) return "without trailing blanks (character)";
  return column.collationDeterministic ? "by value" : `by the nondeterministic collation ${column.collation}`;
}

function generatedFinding(source: Column, target: Column, place: Place): Finding | null {
  if (source.generated === "" && target.generated !== "") {
    return {
      grade: "error",
      what: `column ${source.name} is generated on ${place.db} but not on the source: its values cannot be written`,
      remedy: `${alterColumn(source, place)} drop expression;`,
    };
  }
  if (source.generated !== "" && target.generated === "") {
    return {
      grade: "warning",
      what: `column ${source.name} is generated on the source but not on ${place.db}: its values are copied, and nothing computes them for rows that are written there`,
      remedy: `Generate it on ${place.db} too, where its version can.`,
    };
  }
  return null;
}

function nullFinding(source: Column, target: Column, place: Place): Finding | null {
  if (source.notNull === target.notNull) return null;
  const what = `column ${source.name} is ${source.notNull ? "NOT NULL" : "nullable"} on the source and ${target.notNull ? "NOT NULL" : "nullable"} on ${place.db}`;
  return { grade: "strict", what, remedy: `${alterColumn(source, place)} ${source.notNull ? "set" : "drop"} not null;` };
}

function defaultFinding(source: Column, target: Column, place: Place): Finding | null {
  if (sameDefault(source, target)) return null;
  const word = source.generated === "" ? "default" : "expression";
  const show = (column: Column): string => column.defaultExpression ?? (column.identity === "" ? "none" : "an identity");
  return {
    grade: "strict",
    what: `column ${source.name} has the ${word} ${show(source)} on the source and ${show(target)} on ${place.db}`,
    remedy:
      source.defaultExpression === null
        ? `Make the ${word}s equal.`
        : `${alterColumn(source, place)} set ${word === "default" ? "default" : "expression as"} ${source.defaultExpression};`,
  };
}

/** Serial and identity count as the same: both number new rows from a sequence. */
function sameDefault(source: Column, target: Column): boolean {
  if (isNumbered(source) && isNumbered(target) && (source.identity !== "" || target.identity !== "")) return true;
  return source.identity === "" && target.identity === "" && sameExpression(source.defaultExpression, target.defaultExpression);
}

function isNumbered(column: Column): boolean {
  return column.identity !== "" || (column.defaultExpression !== null && isNextval(column.defaultExpression));
}
