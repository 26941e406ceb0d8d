import type { ErrorView, ServerEvent, Snapshot } from "../../src/http/page-types.ts";
import { Refused } from "./api.ts";
import { Resources } from "./resources.ts";
import { routeOf, type Route } from "./route.ts";
import { withChange } from "./seen.ts";
import { setToken } from "./token.ts";

export type Connection = { readonly state: "connecting" | "open" | "lost" | "token"; readonly since: number };

/** What an action said, for the person who did it. */
export type Said = { readonly tone: "good" | "bad"; readonly text: string; readonly advice: string; readonly at: number };

/** A question that stands before everything else. */
export type Question = { readonly kind: "token"; readonly next: (() => void) | null } | { readonly kind: "cutover" | "switchback" };

/** All that the views look at. They are drawn anew after each change, at most once a frame. */
export class App {
  seen: Snapshot | null = null;
  connection: Connection = { state: "connecting", since: Date.now() };
  route: Route = routeOf(location.hash);
  question: Question | null = null;
  said: Said | null = null;
  readonly busy = new Set<string>();
  readonly resources = new Resources(() => this.changed());
  readonly #ui = new Map<string, unknown>();
  readonly #draw: () => void;
  readonly #announce: (text: string) => void;
  #reconnect: () => void = () => undefined;
  #waits = false;

  constructor(draw: () => void, announce: (text: string) => void) {
    this.#draw = draw;
    this.#announce = announce;
  }

  /** What a person set in a view: a search, an order. Kept while the page is open. */
  ui<Value>(key: string, initial: Value): Value {
    return (this.#ui.get(key) as Value | undefined) ?? initial;
  }

  setUi(key: string, value: unknown): void {
    this.#ui.set(key, value);
    this.changed();
  }

  changed(): void {
    if (this.#waits) return;
    this.#waits = true;
    const draw = (): void => {
      this.#waits = false;
      this.#draw();
    };
    if (document.visibilityState === "visible") requestAnimationFrame(draw);
    else setTimeout(draw, 1000);
  }

  /** Says something to those who listen instead of looking; seldom, or nobody listens any more. */
  announce(text: string): void {
    this.#announce(text);
  }

  whenReconnect(again: () => void): void {
    this.#reconnect = again;
  }

  connected(state: Connection["state"]): void {
    if (state === this.connection.state) return;
    const before = this.connection.state;
    this.connection = { state, since: Date.now() };
    if (state === "open" && before !== "connecting") {
      this.resources.forget();
      this.#announce("Connected again.");
    }
    if (state === "lost" && before === "open") this.#announce("The connection is lost; it is tried again.");
    this.changed();
  }

  heard(event: ServerEvent): void {
    if (event.event === "snapshot") this.#see(event.data);
    else if (event.event === "change" && this.seen !== null) this.#see(withChange(this.seen, event.data));
  }

  #see(next: Snapshot): void {
    const before = new Map((this.seen?.syncs ?? []).map((sync) => [sync.name, sync.word]));
    const bad = (word: string | undefined): boolean => word === "Stopped" || word === "Bad";
    const fell = next.syncs.filter((sync) => before.has(sync.name) && bad(sync.word) && !bad(before.get(sync.name)));
    const rose = next.syncs.filter((sync) => bad(before.get(sync.name)) && sync.word === "Good");
    this.seen = next;
    if (fell.length > 0)
      this.#announce(
        fell.length > 3 ? `${fell.length} syncs need attention.` : fell.map((one) => `Sync ${one.name}: ${one.word}.`).join(" "),
      );
    else if (rose.length > 0 && rose.length <= 3) this.#announce(rose.map((one) => `Sync ${one.name} is good again.`).join(" "));
    this.changed();
  }

  /** Does something that changes something: shows that it goes on, what came of it, and asks for the token where it is missing. */
  async act(name: string, work: () => Promise<string>): Promise<void> {
    if (this.busy.has(name)) return;
    this.busy.add(name);
    this.said = null;
    this.changed();
    try {
      this.#say({ tone: "good", text: await work(), advice: "" });
      this.resources.forget();
    } catch (error) {
      const refused = error instanceof Refused ? error : null;
      if (refused?.status === 401) this.ask({ kind: "token", next: () => void this.act(name, work) });
      else this.#say({ tone: "bad", ...wordsOf(refused?.error, error) });
    } finally {
      this.busy.delete(name);
      this.changed();
    }
  }

  #say(said: Omit<Said, "at">): void {
    this.said = { ...said, at: Date.now() };
  }

  hush(): void {
    this.said = null;
    this.changed();
  }

  ask(question: Question | null): void {
    this.question = question;
    this.changed();
  }

  useToken(text: string | null): void {
    setToken(text);
    this.resources.forget();
    if (this.connection.state === "token") this.#reconnect();
    this.changed();
  }

  /** auto, light or dark; kept by the browser. */
  useTheme(name: string): void {
    document.documentElement.dataset["theme"] = name;
    localStorage.setItem("bucardo-theme", name);
    this.setUi("theme", name);
  }

  retryNow(): void {
    this.#reconnect();
  }

  go(route: Route): void {
    this.route = route;
    this.said = null;
    this.changed();
  }
}

function wordsOf(view: ErrorView | undefined, error: unknown): { readonly text: string; readonly advice: string } {
  if (view === undefined) return { text: error instanceof Error ? error.message : String(error), advice: "" };
  const problems = (view.problems ?? []).map((problem) => problem.what);
  return { text: [view.message, ...problems].join(" "), advice: view.advice };
}
