import { appendFile } from "node:fs/promises";
import { createTransport } from "nodemailer";
import { BucardoError } from "../model/error.ts";
import { subjectOf, textOf, type Notice } from "./notice.ts";

export type MailRoute = {
  readonly from: string;
  /** Several with commas; empty: nobody. */
  readonly to: string;
  /** Path of a sendmail program that is used instead of SMTP. */
  readonly program: string | null;
  readonly host: string;
  readonly port: number;
  /** auto: STARTTLS where it is offered, but not towards this very machine; require: never without; tls: from the first byte; off. */
  readonly tls: "auto" | "require" | "tls" | "off";
  readonly user: string | null;
  readonly password: string | null;
  /** Gets a copy of every mail. */
  readonly copyFile: string | null;
};

const TIMEOUT_MS = 20_000;

/** Sends the notice as one mail. Throws alert-failed. */
export async function mailNotice(route: MailRoute, notice: Notice): Promise<void> {
  await sendMail(route, { subject: subjectOf(notice), text: textOf(notice) });
}

export type Mail = {
  readonly subject: string;
  readonly text: string;
  /** Other addresses than those of the route. */
  readonly to?: string | undefined;
  readonly from?: string | undefined;
};

/** Resolves when the mail server, or the program, has taken it. Throws alert-failed. */
export async function sendMail(route: MailRoute, { subject, text, to = route.to, from = route.from }: Mail): Promise<void> {
  const mail = {
    from,
    to,
    subject,
    text,
    // So that nobody's "I am on holiday" answers it.
    headers: { "Auto-Submitted": "auto-generated", Precedence: "bulk" },
  };
  if (route.copyFile !== null)
    await appendFile(route.copyFile, `To: ${mail.to}\nFrom: ${mail.from}\nSubject: ${mail.subject}\n\n${mail.text}\n`);
  const transport = createTransport(transportOf(route));
  try {
    await transport.sendMail(mail);
  } catch (cause) {
    const { code, responseCode } = cause as { code?: string; responseCode?: number };
    throw new BucardoError(
      "alert-failed",
      `a mail could not be sent: ${[code, responseCode].filter(Boolean).join(" ") || "unknown reason"}`,
      {
        cause,
      },
    );
  } finally {
    transport.close();
  }
}

function transportOf({ program, host, port, tls, user, password }: MailRoute): Parameters<typeof createTransport>[0] {
  const shut = { disableFileAccess: true, disableUrlAccess: true };
  if (program !== null) return { ...shut, sendmail: true, path: program, newline: "unix" };
  const local = /^(localhost|127\.|::1$)/.test(host);
  return {
    ...shut,
    host,
    port,
    secure: tls === "tls",
    ignoreTLS: tls === "off" || (tls === "auto" && local),
    requireTLS: tls === "require",
    ...(user !== null && { auth: { user, pass: password ?? "" } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
  };
}
