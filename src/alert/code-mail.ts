import { z } from "zod";
import { orAbort } from "../base/abort.ts";
import type { Settings } from "../config/setting.ts";
import { BucardoError } from "../model/error.ts";
import type { Log } from "../telemetry/log.ts";
import { sendMail, type MailRoute } from "./mail.ts";

const HOUR_MS = 3_600_000;

const header = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^\P{Cc}*$/u);
const letter = z.object({ to: header.optional(), from: header.optional(), subject: header, body: z.string().max(1_000_000) });

export type CodeMailContext = {
  readonly settings: (syncId: string) => Pick<Settings, "customcode_mails">;
  /** How mail goes out now; null: it is switched off. */
  readonly route: () => MailRoute | null;
  readonly log: Log;
  /** Monotonic milliseconds. */
  readonly now: () => number;
};

/** The mails that custom code asks for: by the same way as alerts, and no more of a sync within an hour than the setting customcode_mails says. */
export class CodeMail {
  readonly #context: CodeMailContext;
  /** When each sync has asked for those of the last hour. */
  readonly #asked = new Map<string, number[]>();
  /** Syncs over their limit, which the log has said. */
  readonly #over = new Set<string>();

  constructor(context: CodeMailContext) {
    this.#context = context;
  }

  /**
   * True when it was taken. False, and why in the log: mail is switched off, nobody is named, the limit is reached, or the mail server did not take it;
   * no run fails by that. Errors: customcode-failed (what is no mail), the signal's reason.
   */
  async send(sync: { readonly id: string; readonly name: string }, asked: unknown, signal: AbortSignal): Promise<boolean> {
    const { success, data: mail } = letter.safeParse(asked);
    if (!success)
      throw new BucardoError(
        "customcode-failed",
        "sendmail takes { subject, body }, and to and from if you like: texts, all but the body of one line",
      );
    try {
      return await orAbort(this.#send(sync, mail), signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#context.log.warn({ err: error, sync: sync.name }, "A mail of custom code could not be sent.");
      return false;
    }
  }

  async #send(sync: { readonly id: string; readonly name: string }, { body: text, ...headers }: z.output<typeof letter>): Promise<boolean> {
    const route = this.#context.route();
    if (route === null || (headers.to ?? route.to) === "") {
      const why = "mail is off (sendmail), or nobody is named (to, default_email_to)";
      this.#context.log.info({ sync: sync.name }, `A mail of custom code was not sent: ${why}.`);
      return false;
    }
    if (!this.#mayAsk(sync)) return false;
    await sendMail(route, { ...headers, text });
    return true;
  }

  /** Counts it if so. Mails that fail count too: a mail server that refuses is not to be asked for ever. */
  #mayAsk({ id, name }: { readonly id: string; readonly name: string }): boolean {
    const { settings, now, log } = this.#context;
    const { customcode_mails: most } = settings(id);
    const lately = (this.#asked.get(id) ?? []).filter((at) => now() - at < HOUR_MS);
    const may = lately.length < most;
    if (may) this.#over.delete(id);
    else if (!this.#over.has(id)) {
      this.#over.add(id);
      log.warn(
        { sync: name },
        `Custom code has asked for ${most} mails within an hour (customcode_mails): no more are sent until that is over.`,
      );
    }
    this.#asked.set(id, may ? [...lately, now()] : lately);
    return may;
  }
}
