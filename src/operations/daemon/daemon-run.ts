import { z } from "zod";
import type { Config } from "../../config/load.ts";
import { resolveSettings, type Settings } from "../../config/setting.ts";
import { readSettings } from "../../control/setting.ts";
import { checkSchema } from "../../control/schema-version.ts";
import type { Daemon } from "../../daemon/daemon.ts";
import { runDaemonProcess } from "../../daemon/main.ts";
import { failureReport, receiveOrders, report } from "../../daemon/spawn.ts";
import { removeStopFile } from "../../daemon/stop-file.ts";
import { connect } from "../../postgres/connect.ts";
import type { Session } from "../../postgres/session.ts";
import { openLog } from "../../telemetry/log.ts";
import { facilityOf } from "../../telemetry/syslog.ts";
import { connectOptionsOf, openSecret } from "../connect-options.ts";
import type { Context } from "../context.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import type { Serving } from "../serving.ts";
import { logDestinations } from "./log-place.ts";
import { piddirOf } from "./piddir.ts";
import { daemonSettingsOf } from "./settings.ts";

/** What `start` hands to the process that it makes. */
export type DaemonOrders = {
  readonly config: Config;
  readonly piddir: string;
  readonly destinations: readonly string[];
  readonly reason: string | null;
};

export const daemonRun = defineOperation({
  name: ["daemon", "run"],
  summary: "Run the daemon in the foreground, for systemd or a container",
  description:
    "The same daemon that `start` puts into the background. It logs to stderr unless told otherwise, ends with TERM, INT or `stop` after the " +
    "current runs, at once with a second signal; HUP reads the definitions again and USR2 reopens the log.",
  group: "daemon",
  effect: "writes",
  http: { refused: "it begins the very process that answers" },
  rehearsable: false,
  control: "required",
  rawWords: true,
  input: z.object({ reason: words({ about: "Why; kept in the control database.", value: "REASON" }) }),
  output: z.object({}),
  examples: [{ command: "bucardo daemon run", about: "Runs until it is told to stop." }],
  async run({ reason }, context) {
    const orders = await receiveOrders<DaemonOrders>();
    try {
      await live(context, orders ?? (await ownOrders(context, reason.join(" "))));
    } catch (error) {
      report(failureReport(error));
      throw error;
    }
    return {};
  },
  print: () => undefined,
});

async function ownOrders(context: Context, reason: string): Promise<DaemonOrders> {
  const piddir = await piddirOf(context);
  await removeStopFile(piddir, (await daemonSettingsOf(context)).stopfile);
  const destinations = context.config.log.destinations.length === 0 ? ["stderr"] : logDestinations(context.config, context.cwd, piddir);
  return { config: context.config, piddir, destinations, reason: reason === "" ? null : reason };
}

async function live(
  { program, env, cwd, version, serveHttp }: Context,
  { config, piddir, destinations, reason }: DaemonOrders,
): Promise<void> {
  const extraName = config.options["extra-name"];
  if (typeof extraName === "string") process.title = `bucardo daemon ${extraName}`;
  const connectControl = (): Promise<Session> => connect({ ...config.control, name: "control", applicationName: "bucardo daemon" });
  const settings = await firstSettings(connectControl, config);
  const log = openLog({
    destinations,
    level: settings.log_level,
    format: config.log.format,
    extension: config.log.extension,
    clean: config.log.clean,
    separate: config.log.separate,
    warningFile: settings.warning_file === "" ? null : settings.warning_file,
    facility: facilityOf(settings.syslog_facility) ?? 17,
    showLine: settings.log_showline,
    timeFormat: settings.log_timer_format,
    showPid: settings.log_showpid,
    showLevel: settings.log_showlevel,
    showSync: settings.log_showsyncname,
    showTime: ({ "0": "none", "1": "epoch", "2": "utc", "3": "local" } as const)[settings.log_showtime],
  });
  const pages = new Pages();
  try {
    await runDaemonProcess({
      piddir,
      stopFile: settings.stopfile,
      connectControl,
      connect: (database, signal) =>
        connect({
          ...connectOptionsOf(database, { config, env }),
          applicationName: `bucardo ${database.name}`,
          ...(signal === undefined ? {} : { signal }),
        }),
      version,
      reason,
      log,
      reopenLog: () => log.reopen(),
      settingsRead: (now) => {
        log.setLevel(now.log_level);
        pages.follow(now);
      },
      overrides: config.overrides,
      openSecret: (sealed) => openSecret(sealed, { config, env }),
      env,
      exitOnNoSync: config.options["exit-on-nosync"] === true,
      beside: async (daemon) => {
        const own = { tally: daemon.tally, up: () => daemon.serves };
        const served = { program, version, config, env, cwd, log, daemon: own, control: true, move: null };
        await pages.open(daemon, async () => (await serveHttp?.(served, daemon.settings)) ?? null);
        return pages;
      },
      ready: () => report({ kind: "ready", pid: process.pid }),
    });
  } finally {
    log.close();
  }
}

/** The pages of a daemon: served from its start to its end, and noted in the control database. */
class Pages implements AsyncDisposable {
  #serving: Serving | null = null;
  #note: (() => void) | null = null;

  async open(daemon: Pick<Daemon, "servesAt">, serve: () => Promise<Serving | null>): Promise<void> {
    this.#serving = await serve();
    this.#note = () => void daemon.servesAt(this.#serving?.url ?? null).catch(() => undefined);
    await daemon.servesAt(this.#serving?.url ?? null).catch(() => undefined);
  }

  follow(settings: Settings): void {
    void this.#serving?.settings(settings).then(this.#note);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#serving?.[Symbol.asyncDispose]();
  }
}

async function firstSettings(connectControl: () => Promise<Session>, config: Config): Promise<ReturnType<typeof resolveSettings>> {
  await using control = await connectControl();
  await checkSchema(control);
  return resolveSettings(await readSettings(control), config.overrides);
}
