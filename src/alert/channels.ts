import { hostname } from "node:os";
import type { Settings } from "../config/setting.ts";
import { mailNotice } from "./mail.ts";
import type { Notice } from "./notice.ts";
import { postNotice } from "./webhook.ts";

/** Where alerts go. */
export type Channel = { readonly name: "mail" | "webhook"; send(notice: Notice, signal: AbortSignal): Promise<void> };

/** Those that are configured now. `open` gives the clear text behind a sealed setting. */
export function channelsOf(
  settings: Settings,
  { open, env }: { readonly open: (sealed: string) => string; readonly env: Readonly<Record<string, string | undefined>> },
): Channel[] {
  const secret = (value: string): string | null => (value === "" ? null : open(value));
  const channels: Channel[] = [];
  const { default_email_to: to, default_email_from: from } = settings;
  if (settings.sendmail && isAddress(to))
    channels.push({
      name: "mail",
      send: (notice) =>
        mailNotice(
          {
            to,
            from: isAddress(from) ? from : `bucardo@${hostname()}`,
            program: settings.email_program === "" ? null : settings.email_program,
            host: settings.default_email_host,
            port: settings.default_email_port,
            tls: settings.email_tls,
            user: settings.email_auth_user === "" ? null : settings.email_auth_user,
            password: secret(settings.email_auth_pass),
            copyFile: copyFile(settings.email_debug_file, env),
          },
          notice,
        ),
    });
  if (settings.alert_webhook !== "")
    channels.push({
      name: "webhook",
      send: (notice, signal) =>
        postNotice(
          { url: open(settings.alert_webhook), secret: secret(settings.alert_webhook_secret), timeoutMs: settings.alert_timeout },
          notice,
          signal,
        ),
    });
  return channels;
}

/** Version 5 came with this address, which meant no mail. */
function isAddress(address: string): boolean {
  return address !== "" && address.toLowerCase() !== "nobody@example.com";
}

function copyFile(setting: string, env: Readonly<Record<string, string | undefined>>): string | null {
  const path = env["BUCARDO_EMAIL_DEBUG_FILE"] ?? setting;
  return path === "" ? null : path;
}
