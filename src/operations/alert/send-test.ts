import { hostname } from "node:os";
import { z } from "zod";
import { channelsOf } from "../../alert/channels.ts";
import { BucardoError } from "../../model/error.ts";
import { openSecret } from "../connect-options.ts";
import { defineOperation } from "../operation.ts";
import { daemonSettingsOf } from "../daemon/settings.ts";

export const alertTest = defineOperation({
  name: ["alert", "test"],
  synonyms: [["test", "alert"]],
  summary: "Send a message by mail and webhook, to see that alerts arrive",
  description: "By the settings default_email_to and alert_webhook, from this command and not from the daemon.",
  group: "daemon",
  effect: "writes",
  rehearsable: false,
  control: "required",
  input: z.object({}),
  output: z.object({ sent: z.array(z.object({ channel: z.string(), error: z.string().nullable() })) }),
  exitCodes: { 1: "One of them did not take it, or none is configured." },
  examples: [{ command: "bucardo alert test", about: "After the settings were made." }],
  async run(_, context) {
    const settings = await daemonSettingsOf(context);
    const { env, config, version } = context;
    const channels = channelsOf(settings, { open: (value) => openSecret(value, { config, env }), env });
    if (channels.length === 0)
      throw new BucardoError("bad-value", "Alerts go nowhere.", {
        advice: "`bucardo set default_email_to=ADDRESS`, or `bucardo set alert_webhook=URL`.",
      });
    const notice = {
      host: hostname(),
      pid: process.pid,
      version,
      at: new Date(),
      event: { word: "test", why: "it was asked for on the command line" },
      raised: [],
      over: [],
      url: settings.stats_script_url === "" ? null : settings.stats_script_url,
    } as const;
    const sent: { channel: string; error: string | null }[] = [];
    for (const channel of channels) {
      const error = await channel.send(notice, context.signal).then(
        () => null,
        (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)),
      );
      sent.push({ channel: channel.name, error });
    }
    return { sent };
  },
  print: ({ sent }, io) =>
    sent.forEach(({ channel, error }) => io.out(error === null ? `Sent by ${channel}` : `Not sent by ${channel}: ${error}`)),
  exit: ({ sent }) => (sent.some(({ error }) => error !== null) ? 1 : 0),
});
