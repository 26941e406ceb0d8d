import { channelsOf } from "../alert/channels.ts";
import { AlertWatch } from "../alert/watch.ts";
import type { Lease } from "./lease.ts";
import type { DaemonOptions } from "./options.ts";
import type { SettingsBook } from "./settings-book.ts";

/** What the daemon gives to the watch for problems. */
export function watchForAlerts(lease: Pick<Lease, "use">, settings: SettingsBook, options: DaemonOptions): AlertWatch {
  const { version, log, env = {}, openSecret = (sealed) => sealed } = options;
  return new AlertWatch({
    use: (work) => lease.use(work),
    log,
    version,
    settings: () => settings.of(),
    ofSync: (syncId) => settings.of(syncId),
    channels: () => channelsOf(settings.of(), { open: openSecret, env }),
    now: () => performance.now(),
  });
}
