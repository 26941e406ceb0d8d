import { z } from "zod";
import { parseWhenrun, WHENRUN, type Whenrun } from "../../model/customcode.ts";
import { bool, integer, key, list, status, text } from "../input.ts";

const whenrun = z.string().transform((word, context): Whenrun => {
  const known = parseWhenrun(word);
  if (known !== null) return known;
  context.addIssue({ code: "custom", message: `must be one of ${WHENRUN.join(", ")}, not "${word}"` });
  return z.NEVER;
});

/** The keys that tell what a piece of custom code is; shared by `add` and `update customcode`. */
export const codeKeys = {
  whenrun: key(whenrun.optional(), {
    about: `When it is called: ${WHENRUN.join(", ")} (also ..._drop for ..._disable).`,
    aliases: ["when_run", "when"],
    value: "POINT",
  }),
  src_code: key(text.optional(), {
    about: "File with the code; its text is kept in the control database.",
    aliases: ["src", "source", "file"],
    value: "FILE",
  }),
  language: key(z.enum(["js", "ts", "sql"]).optional(), { about: "js, ts or sql; by the file's name when not given.", value: "js|ts|sql" }),
  about: key(z.string().optional(), { about: "A remark.", value: "TEXT" }),
  getdbh: key(bool.optional(), { about: "Whether it gets handles of the databases; on when not given." }),
  db: key(text.optional(), {
    about: "SQL: the database where it is executed; the target when not given.",
    aliases: ["database"],
    value: "DB",
  }),
  status: key(status.optional(), { about: "active (default) or inactive.", value: "active|inactive" }),
  priority: key(integer(-1_000_000, 1_000_000).optional(), { about: "Lower ones are called first; 0 when not given.", value: "N" }),
  sync: key(list.optional(), { about: "Syncs that it is attached to.", aliases: ["syncs"], value: "SYNC", list: true }),
  relation: key(list.optional(), {
    about: "Tables that it is attached to, whatever sync they are in.",
    aliases: ["table", "tables", "goat", "relations"],
    value: "TABLE",
    list: true,
  }),
  active: key(bool.optional(), { about: "Whether what it is attached to uses it; on when not given." }),
} as const;
