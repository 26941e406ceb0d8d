import { z } from "zod";
import { resolveSettings } from "../../config/setting.ts";
import { showHttpAddress } from "../../config/http-address.ts";
import { readOrMakeToken, rotateToken, tokenFileOf } from "../../config/token.ts";
import { readDaemon } from "../../control/daemon.ts";
import { readSettings } from "../../control/setting.ts";
import { keyfileOf } from "../connect-options.ts";
import type { Context } from "../context.ts";
import { bool, key } from "../input.ts";
import { defineOperation } from "../operation.ts";

export const httpToken = defineOperation({
  name: ["http", "token"],
  synonyms: [["show", "http", "token"], ["show", "token"], ["http"]],
  summary: "Print the token for the page and the HTTP API, and a link that brings it along",
  description:
    "Whoever has it may do over HTTP what this user may do on the command line, except what HTTP does not offer. It stands in the file http-token beside the key " +
    "file, readable for this user only, and is made at the first use. --rotate makes a new one; the old one opens nothing from then on.",
  group: "daemon",
  effect: "reads",
  http: { refused: "who has the token needs no other way to it" },
  control: "optional",
  input: z.object({ rotate: key(bool.default(false), { about: "Make a new one.", flag: true }) }),
  output: z.object({ token: z.string(), file: z.string(), url: z.string().nullable() }),
  examples: [
    { command: "bucardo http token", about: "Open the link in a browser of this machine." },
    { command: "bucardo http token --rotate", about: "When somebody has it who should not." },
  ],
  async run({ rotate }, context) {
    const file = tokenFileOf(keyfileOf(context.config, context.env));
    const token = rotate ? rotateToken(file) : readOrMakeToken(file);
    const url = await urlOf(context);
    return { token, file, url: url === null ? null : `${url}/#token=${token}` };
  },
  print({ token, url }, io) {
    io.out(token);
    if (url !== null) io.out(url);
  },
});

/** Where the daemon serves, as it says itself, else by its settings; null: nowhere, or nobody can say. */
async function urlOf(context: Context): Promise<string | null> {
  const control = await context.control().catch(() => null);
  const told = control === null ? null : ((await readDaemon(control))?.url ?? null);
  if (told !== null) return told;
  const { http, http_certificate } = resolveSettings(control === null ? {} : await readSettings(control), context.config.overrides);
  return http === "off" || http.port === 0 ? null : `http${http_certificate === "" ? "" : "s"}://${showHttpAddress(http)}`;
}
