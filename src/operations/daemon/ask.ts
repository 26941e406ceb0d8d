import { z } from "zod";
import { readDaemon } from "../../control/daemon.ts";
import { sendRequest } from "../../control/request.ts";
import { notifyChanged } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import type { Context } from "../context.ts";
import { integer, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { askDaemon } from "./ask-daemon.ts";
import { selectSyncs } from "./select-syncs.ts";
import { daemonSettingsOf } from "./settings.ts";

const MAX_SECONDS = 1_000_000;

export const ping = defineOperation({
  name: ["ping"],
  summary: "Ask the daemon whether it answers",
  description: "Prints OK and exits with 0, or CRITICAL and 1, as monitoring systems want it.",
  group: "daemon",
  effect: "reads",
  control: "required",
  input: z.object({ seconds: words({ about: "How long to wait, default 15; 0: for ever.", value: "SECONDS", max: 1 }) }),
  output: z.object({ ok: z.boolean(), pid: z.number().nullable(), host: z.string().nullable(), ms: z.number(), message: z.string() }),
  examples: [{ command: "bucardo ping 5", about: "Waits for at most five seconds." }],
  async run({ seconds }, context) {
    const limit = secondsOf(seconds[0], 15);
    const began = performance.now();
    const failed = (message: string) => ({ ok: false, pid: null, host: null, ms: Math.round(performance.now() - began), message });
    try {
      const pid = Number(await askDaemon(context, "ping", null, limit === 0 ? null : limit * 1000));
      const host = (await readDaemon(await context.control()))?.host ?? null;
      return { ok: true, pid, host, ms: Math.round(performance.now() - began), message: `Got response from PID ${pid}` };
    } catch (error) {
      if (!(error instanceof BucardoError)) throw error;
      if (error.code === "timeout") return failed(`Timed out (${limit} s), no ping response from MCP`);
      if (error.code === "daemon-not-running") return failed("No daemon is running");
      throw error;
    }
  },
  print: ({ ok, message }, io) => io.out(`${ok ? "OK" : "CRITICAL"}: ${message}`),
  exit: ({ ok }) => (ok ? 0 : 1),
});

export const message = defineOperation({
  name: ["message"],
  summary: "Write a line into the daemon's log",
  description: "A daemon that is not running writes it when it starts.",
  group: "daemon",
  effect: "writes",
  rehearsable: false,
  control: "required",
  rawWords: true,
  input: z.object({ words: words({ about: "The text.", value: "TEXT", min: 1 }) }),
  output: z.object({ text: z.string() }),
  examples: [{ command: "bucardo message 'the disk was replaced'", about: "Leaves a note in the log." }],
  async run({ words: text }, context) {
    await sendRequest(await context.control(), "message", text.join(" "));
    return { text: text.join(" ") };
  },
  print: () => undefined,
});

export const reopen = defineOperation({
  name: ["reopen"],
  summary: "Let the daemon open its log files again",
  description: "After logrotate or somebody else has moved them. A signal USR2 does the same.",
  group: "daemon",
  effect: "writes",
  rehearsable: false,
  control: "required",
  input: z.object({}),
  output: z.object({}),
  examples: [{ command: "bucardo reopen", about: "In the postrotate part of logrotate." }],
  async run(_, context) {
    refuseFailure(await askDaemon(context, "reopen", null, await answerMs(context)));
    return {};
  },
  print: (_, io) => io.out("Log files were reopened"),
});

export const reloadConfig = defineOperation({
  name: ["reload", "config"],
  summary: "Let the daemon read settings and definitions again",
  description: "The daemon notices changes by itself; this waits until it has.",
  group: "daemon",
  effect: "writes",
  rehearsable: false,
  control: "required",
  input: z.object({ seconds: words({ about: "How long to wait; default: the setting reload_config_timeout.", value: "SECONDS", max: 1 }) }),
  output: z.object({}),
  examples: [{ command: "bucardo reload config 10", about: "Waits for at most ten seconds." }],
  async run({ seconds }, context) {
    const limit = seconds[0] === undefined ? await answerMs(context) : secondsOf(seconds[0], 30) * 1000;
    refuseFailure(await askDaemon(context, "reload", null, limit));
    return {};
  },
  print: (_, io) => io.out("Reloading configuration...DONE!"),
});

export const reload = defineOperation({
  name: ["reload"],
  summary: "Let the daemon read the definitions again, and try stopped syncs once more",
  description:
    "Without names all syncs. The daemon notices changed definitions by itself; a sync that stopped because of an error is tried again by this.",
  group: "daemon",
  effect: "writes",
  rehearsable: false,
  control: "required",
  noise: ["sync", "syncs"],
  input: z.object({ syncs: words({ about: "Names of syncs, wildcards, or all.", value: "SYNC" }) }),
  output: z.object({ messages: z.array(z.string()) }),
  examples: [{ command: "bucardo reload pepper", about: "Tries pepper again." }],
  async run({ syncs }, context) {
    const limit = await answerMs(context);
    const control = await context.control();
    await notifyChanged(control);
    if (syncs.length === 0) {
      refuseFailure(await askDaemon(context, "reload", null, limit));
      return { messages: ["Reloading Bucardo...DONE!"] };
    }
    const messages: string[] = [];
    for (const sync of await selectSyncs(control, syncs)) {
      if (sync.status === "inactive") messages.push(`Cannot reload: sync ${sync.name} is inactive`);
      else
        messages.push(
          `Reload of sync ${sync.name} ${failureOf(await askDaemon(context, "reload", sync.name, limit)) === null ? "successful" : "failed"}`,
        );
    }
    return { messages };
  },
  print: ({ messages }, io) => messages.forEach((line) => io.out(line)),
  exit: ({ messages }) => (messages.some((line) => line.endsWith("failed")) ? 1 : 0),
});

async function answerMs(context: Context): Promise<number> {
  return (await daemonSettingsOf(context)).reload_config_timeout;
}

function secondsOf(word: string | undefined, initial: number): number {
  if (word === undefined) return initial;
  const seconds = integer(0, MAX_SECONDS).safeParse(word);
  if (seconds.success) return seconds.data;
  throw new BucardoError("bad-value", `SECONDS must be a whole number from 0 to ${MAX_SECONDS}, not "${word}".`, {
    advice: "0 waits for ever.",
  });
}

function failureOf(answer: string): string | null {
  return answer.startsWith("failed: ") ? answer.slice("failed: ".length) : null;
}

function refuseFailure(answer: string): void {
  const failure = failureOf(answer);
  if (failure !== null) throw new BucardoError("daemon-failed", `the daemon could not: ${failure}`, { advice: "Its log has more." });
}
