import { hostname } from "node:os";
import type { Settings } from "../config/setting.ts";
import { mailNotice, type MailRoute } from "./mail.ts";
import type { Notice } from "./notice.ts";
import { postNotice } from "./webhook.ts";

/** Where alerts go. */
export type Channel = { readonly name: "mail" | "webhook"; send(notice: Notice, signal: AbortSignal): Promise<void> };

/** `open` gives the clear text behind a sealed setting. */
export type Surroundings = { readonly open: (sealed: string) => string; readonly env: Readonly<Record<string, string | undefined>> };

/** Those that are configured now. */
export function channelsOf(settings: Settings, { open, env }: Surroundings): Channel[] {
  const channels: Channel[] = [];
  if (settings.sendmail && isAddress(settings.default_email_to))
    channels.push({ name: "mail", send: (notice) => mailNotice(mailRoute(settings, { open, env }), notice) });
  if (settings.alert_webhook !== "")
    channels.push({
      name: "webhook",
      send: (notice, signal) =>
        postNotice(
          {
            url: open(settings.alert_webhook),
            secret: secretOf(settings.alert_webhook_secret, open),
            timeoutMs: settings.alert_timeout,
          },
          notice,
          signal,
        ),
    });
  return channels;
}

/** By which way mails go out, whether or not anybody is to get alerts. */
export function mailRoute(settings: Settings, { open, env }: Surroundings): MailRoute {
  const { default_email_to: to, default_email_from: from } = settings;
  return {
    to: isAddress(to) ? to : "",
    from: isAddress(from) ? from : `bucardo@${hostname()}`,
    program: settings.email_program === "" ? null : settings.email_program,
    host: settings.default_email_host,
    port: settings.default_email_port,
    tls: settings.email_tls,
    user: settings.email_auth_user === "" ? null : settings.email_auth_user,
    password: secretOf(settings.email_auth_pass, open),
    copyFile: copyFile(settings.email_debug_file, env),
  };
}

function secretOf(value: string, open: Surroundings["open"]): string | null {
  return value === "" ? null : open(value);
}

/** Version 5 came with this address, which meant no mail. */
function isAddress(address: string): boolean {
  return address !== "" && address.toLowerCase() !== "nobody@example.com";
}

function copyFile(setting: string, env: Readonly<Record<string, string | undefined>>): string | null {
  const path = env["BUCARDO_EMAIL_DEBUG_FILE"] ?? setting;
  return path === "" ? null : path;
}
