import type { z } from "zod";
import { bool, key, list, text } from "../input.ts";

const legacyText = { about: "Without meaning here.", legacy: true } as const;

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
  rebuild_index: key(text.optional(), { ...legacyText, aliases: ["rebuildindex"] }),
  analyze_after_copy: key(text.optional(), legacyText),
  vacuum_after_copy: key(text.optional(), legacyText),
  makedelta: key(text.optional(), legacyText),
  ghost: key(text.optional(), legacyText),
  conflict_strategy: key(text.optional(), {
    about: "Between several sources, whose change of a row of this table counts; the sync decides when not given, or none.",
    aliases: ["standard_conflict", "conflict"],
    value: "bucardo_latest|...|A,B|none",
  }),
} as const;

export type RelationPolicies = { [Name in keyof typeof relationKeys]?: z.output<(typeof relationKeys)[Name]> };

const LEGACY = ["rebuild_index", "analyze_after_copy", "vacuum_after_copy", "makedelta", "ghost"] as const;

/** The policies as the row keeps them; only what was given. */
export function policiesOf(input: RelationPolicies): {
  keyColumns?: readonly string[];
  autokick?: boolean;
  strictChecking?: boolean;
  conflictStrategy?: string | null;
  legacy: Record<string, string>;
} {
  return {
    ...(input.pkey === undefined ? {} : { keyColumns: input.pkey }),
    ...(input.autokick === undefined ? {} : { autokick: input.autokick }),
    ...(input.strict_checking === undefined ? {} : { strictChecking: input.strict_checking }),
    ...(input.conflict_strategy === undefined ? {} : { conflictStrategy: noneIsNull(input.conflict_strategy) }),
    legacy: Object.fromEntries(LEGACY.flatMap((name) => (input[name] === undefined ? [] : [[name, input[name]]]))),
  };
}

function noneIsNull(value: string): string | null {
  return ["", "none"].includes(value.toLowerCase()) ? null : value;
}
