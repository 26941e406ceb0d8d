import type { z } from "zod";
import type { RelationRow } from "../../control/relation.ts";
import type { TableCopyPolicy } from "../../model/sync.ts";
import { bool, key, list, text } from "../input.ts";
import { copyingOf, rebuildIndex } from "../sync/keys.ts";

/** Policies of a relation; shared by `add` and `update` of tables and sequences. */
export const relationKeys = {
  autokick: key(bool.optional(), {
    about: "Whether a change of it makes its syncs run; the sync decides when not given.",
    aliases: ["ping"],
    value: "on|off",
  }),
  strict_checking: key(bool.optional(), {
    about: "Off: differences of column order, defaults and NOT NULL are warnings.",
    value: "on|off",
  }),
  pkey: key(list.optional(), {
    about: "Columns of the key, when it is not to be the one we choose; a unique index over NOT NULL columns.",
    aliases: ["key", "keycolumns"],
    value: "COLUMN,...",
    list: true,
  }),
  ghost: key(bool.optional(), {
    about: "Its syncs know and check it, and do not replicate it; off again: it begins with a complete copy.",
    value: "on|off",
  }),
  analyze_after_copy: key(bool.optional(), {
    about: "ANALYZE on the target after a copy of it; the sync decides when not given.",
    value: "on|off",
  }),
  vacuum_after_copy: key(bool.optional(), { about: "VACUUM on the target after it; the sync decides when not given.", value: "on|off" }),
  rebuild_index: key(rebuildIndex.optional(), {
    about: "Indexes are built anew after a whole copy (role fullcopy); the sync decides when not given.",
    aliases: ["rebuildindex"],
    value: "on|off",
  }),
  makedelta: key(text.optional(), { about: "Without meaning here.", legacy: true }),
  conflict_strategy: key(text.optional(), {
    about: "Between several sources, whose change of a row of this table counts; the sync decides when not given, or none.",
    aliases: ["standard_conflict", "conflict"],
    value: "bucardo_latest|...|A,B|none",
  }),
} as const;

export type RelationPolicies = { [Name in keyof typeof relationKeys]?: z.output<(typeof relationKeys)[Name]> };

/** What was given, as the row keeps it. */
export type GivenPolicies = {
  readonly keyColumns?: readonly string[];
  readonly autokick?: boolean;
  readonly strictChecking?: boolean;
  readonly conflictStrategy?: string | null;
  readonly ghost?: boolean;
  readonly copying?: Partial<TableCopyPolicy>;
  readonly legacy?: Readonly<Record<string, string>>;
};

export function policiesOf(input: RelationPolicies): GivenPolicies {
  const copying = copyingOf(input);
  return {
    ...(input.pkey === undefined ? {} : { keyColumns: input.pkey }),
    ...(input.autokick === undefined ? {} : { autokick: input.autokick }),
    ...(input.strict_checking === undefined ? {} : { strictChecking: input.strict_checking }),
    ...(input.conflict_strategy === undefined ? {} : { conflictStrategy: noneIsNull(input.conflict_strategy) }),
    ...(input.ghost === undefined ? {} : { ghost: input.ghost }),
    ...(Object.keys(copying).length === 0 ? {} : { copying }),
    ...(input.makedelta === undefined ? {} : { legacy: { makedelta: input.makedelta } }),
  };
}

/** The row with what was given changed; an empty key is the one that is chosen by itself. */
export function withPolicies(row: RelationRow, given: GivenPolicies): RelationRow {
  const keyColumns = given.keyColumns ?? row.keyColumns;
  return {
    ...row,
    ...given,
    keyColumns: keyColumns?.length === 0 ? null : keyColumns,
    copying: { ...row.copying, ...given.copying },
    legacy: { ...row.legacy, ...given.legacy },
  };
}

function noneIsNull(value: string): string | null {
  return ["", "none"].includes(value.toLowerCase()) ? null : value;
}
