import type { ServerEvent } from "../../src/http/page-types.ts";
import { EventText } from "./event-text.ts";
import { tokenHeader } from "./token.ts";

export type Heard = {
  event(event: ServerEvent): void;
  /** open: events come. lost: it tries again in so many milliseconds. token: reading needs the token. */
  state(state: "open" | "lost" | "token", retryMs?: number): void;
};

/** Without a word for so long the connection is dead, whatever the browser thinks. */
const DEAD_MS = 40_000;
const PAUSES_MS = [250, 500, 1000, 2000, 5000];

/** Keeps the event stream open, through restarts of the daemon too. */
export class Stream {
  readonly #heard: Heard;
  #failures = 0;
  #waking: (() => void) | null = null;
  #current: AbortController | null = null;

  constructor(heard: Heard) {
    this.#heard = heard;
    // A laptop that wakes up should not wait for its turn.
    addEventListener("online", () => this.again());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#waking?.();
    });
  }

  /** Begins, and never ends. */
  async run(): Promise<never> {
    for (;;) {
      const wantsToken = await this.#once();
      const pause = PAUSES_MS[Math.min(this.#failures++, PAUSES_MS.length - 1)] ?? 5000;
      this.#heard.state(wantsToken ? "token" : "lost", pause);
      await new Promise<void>((resolve) => {
        this.#waking = resolve;
        // Without the token nothing changes by itself.
        setTimeout(resolve, wantsToken ? 60_000 : pause);
      });
      this.#waking = null;
    }
  }

  /** Now, with what is known now: another token, say. */
  again(): void {
    this.#failures = 0;
    this.#current?.abort();
    this.#waking?.();
  }

  /** Until the stream breaks; true when it was refused for want of the token. */
  async #once(): Promise<boolean> {
    const controller = new AbortController();
    this.#current = controller;
    let timer = setTimeout(() => controller.abort(), DEAD_MS);
    try {
      const headers = { ...tokenHeader(), accept: "text/event-stream" };
      const response = await fetch("events", { headers, signal: controller.signal, cache: "no-store" });
      if (response.status === 401 || response.status === 403) return true;
      if (!response.ok || response.body === null) return false;
      const [reader, text, decoder] = [response.body.getReader(), new EventText(), new TextDecoder()];
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return false;
        clearTimeout(timer);
        timer = setTimeout(() => controller.abort(), DEAD_MS);
        for (const { event, data } of text.feed(decoder.decode(value, { stream: true }))) {
          if (event === "bye") return false;
          if (event === "snapshot") {
            this.#failures = 0;
            this.#heard.state("open");
          }
          this.#heard.event({ event, data: JSON.parse(data) } as ServerEvent);
        }
      }
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
      controller.abort();
    }
  }
}
