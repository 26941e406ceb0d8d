import { channelsOf, mailRoute } from "../alert/channels.ts";
import { CodeMail } from "../alert/code-mail.ts";
import { AlertWatch } from "../alert/watch.ts";
import type { DaemonContext } from "./context.ts";
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

/** What sends the mails that custom code asks for. */
export function mailForCode(
  settings: SettingsBook,
  { log, env = {}, openSecret = (sealed) => sealed }: DaemonOptions,
): DaemonContext["mail"] {
  const codeMail = new CodeMail({
    settings: (syncId) => settings.of(syncId),
    route: () => (settings.of().sendmail ? mailRoute(settings.of(), { open: openSecret, env }) : null),
    log,
    now: () => performance.now(),
  });
  return (sync, mail, signal) => codeMail.send(sync, mail, signal);
}
