import { createHmac } from "node:crypto";
import { backoff } from "../base/backoff.ts";
import { sleep } from "../base/sleep.ts";
import { BucardoError } from "../model/error.ts";
import { jsonOf, type Notice } from "./notice.ts";

export type Webhook = { readonly url: string; readonly secret: string | null; readonly timeoutMs: number };

const ATTEMPTS = 3;
const PAUSE = { base: 500, cap: 5000 };

/**
 * POSTs the notice as JSON. With a secret, `X-Bucardo-Signature: sha256=HEX` is the HMAC of the timestamp of `X-Bucardo-Timestamp`, a dot and the body.
 * What may be over in a moment (no answer, 429, 5xx) is tried again. Throws alert-failed; the URL, which may be a secret, stands in no message.
 */
export async function postNotice({ url, secret, timeoutMs }: Webhook, notice: Notice, signal: AbortSignal): Promise<void> {
  const body = jsonOf(notice);
  for (let attempt = 1; ; attempt += 1) {
    const end = await postOnce(url, body, headersOf(body, secret, notice), AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
    if (end === null) return;
    if (!end.again || attempt === ATTEMPTS || signal.aborted)
      throw new BucardoError("alert-failed", `the webhook did not take an alert: ${end.why}`);
    await sleep(backoff(attempt, { ...PAUSE, random: Math.random }), signal);
  }
}

function headersOf(body: string, secret: string | null, { version }: Notice): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  return {
    "content-type": "application/json",
    "user-agent": `bucardo/${version}`,
    ...(secret !== null && {
      "x-bucardo-timestamp": timestamp,
      "x-bucardo-signature": `sha256=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`,
    }),
  };
}

type Failure = { readonly why: string; readonly again: boolean };

async function postOnce(url: string, body: string, headers: Record<string, string>, signal: AbortSignal): Promise<Failure | null> {
  try {
    // A redirect would send the body and its signature to somebody who was not named.
    const answer = await fetch(url, { method: "POST", body, headers, signal, redirect: "manual" });
    await answer.body?.cancel();
    if (answer.ok) return null;
    return { why: `HTTP status ${answer.status}`, again: answer.status === 429 || answer.status >= 500 };
  } catch (error) {
    const cause = (error as { cause?: { code?: string } }).cause?.code;
    return { why: cause ?? (signal.aborted ? "no answer in time" : "it cannot be reached"), again: true };
  }
}
