import { displayName } from "../model/name.ts";
import type { SchemaObject } from "./object.ts";

/**
 * Says whether an object is meant by one of the patterns: its id (`INDEX s.t_x_idx`), its name with or without schema, or that of its table; `*` and `%`
 * stand for anything.
 */
export function objectMatcher(patterns: readonly string[]): (object: SchemaObject) => boolean {
  const wanted = patterns.map(toRegExp);
  return (object) => {
    const names = [object.id, object.name, `${object.schema}.${object.name}`, ...(object.of === null ? [] : [displayName(object.of)])];
    return wanted.some((pattern) => names.some((name) => pattern.test(name)));
  };
}

/** The same patterns for a place that is told without its kind: `s.t`, `s.f()`, `s.t constraint`. */
export function placeMatcher(patterns: readonly string[]): (place: string) => boolean {
  const wanted = patterns.flatMap((pattern) => [pattern, pattern.replace(/^([A-Z]+ )+/, "")]).map(toRegExp);
  return (place) => wanted.some((pattern) => pattern.test(place));
}

function toRegExp(pattern: string): RegExp {
  return new RegExp(`^${pattern.split(/[*%]+/).map(escape).join(".*")}$`, "su");
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
