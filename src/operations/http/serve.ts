import { z } from "zod";
import { resolveSettings, type Settings } from "../../config/setting.ts";
import { readSettings } from "../../control/setting.ts";
import { BucardoError } from "../../model/error.ts";
import { openLog } from "../../telemetry/log.ts";
import type { Context } from "../context.ts";
import { defineOperation } from "../operation.ts";
import { endpointKeys } from "../migrate/endpoints.ts";

export const serve = defineOperation({
  name: ["serve"],
  summary: "Serve the page without a daemon: for a move, or to look at a daemon elsewhere",
  description:
    "The daemon serves the page itself. This command does it in the foreground until Ctrl-C: for `bucardo migrate`, which needs no daemon and no control database, " +
    "or on another machine that reaches the control database. Where to: --http=HOST:PORT, else the setting http. The printed link brings the token along.",
  group: "daemon",
  effect: "reads",
  http: { refused: "it is served already" },
  control: "optional",
  input: z.object({ ...endpointKeys }),
  output: z.object({}),
  examples: [
    { command: "bucardo serve", about: "The move that was begun last from here, and the control database if there is one." },
    { command: "bucardo serve --http=127.0.0.1:9000 --from postgresql://old/app --to postgresql://new/app", about: "A certain move." },
  ],
  async run({ from, to }, context) {
    if (context.serveHttp === null) throw new BucardoError("not-supported", "Nothing can be served here.");
    const settings = await settingsOf(context);
    const log = openLog({ destinations: ["stderr"], level: "warn", showPid: false });
    const { program, version, config, env, cwd } = context;
    const move = from !== undefined && to !== undefined ? { from, to } : null;
    await using serving = await context.serveHttp(
      { program, version, config, env, cwd, log, daemon: null, control: settings.control, move },
      settings.settings,
    );
    if (serving.url === null)
      throw new BucardoError("bad-value", "Nothing is served; the line above says why.", { advice: "Name another address with --http." });
    context.io.out(`Serving at ${serving.url} until Ctrl-C; \`${program} http token\` prints the token.`);
    await new Promise<void>((resolve) => context.signal.addEventListener("abort", () => resolve(), { once: true }));
    return {};
  },
  print: () => undefined,
});

/** Without a control database the settings are those of this process. */
async function settingsOf(context: Context): Promise<{ readonly settings: Settings; readonly control: boolean }> {
  const stored = await context
    .control()
    .then(readSettings)
    .catch(() => null);
  return { settings: resolveSettings(stored ?? {}, context.config.overrides), control: stored !== null };
}
