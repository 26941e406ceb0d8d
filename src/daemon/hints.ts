/** What notifications and the clock say should be looked at. A hint only: each is looked at by the clock as well. */
export class Hints {
  definitions = true;
  kicks = true;
  requests = true;
  /** Ids of syncs that somebody wants tried again. */
  #again = new Set<string>();

  /** A payload of the control channel; see control/request.ts. */
  hear(payload: string): void {
    const [word = "", argument = ""] = payload.split(" ");
    if (word === "kick") this.kicks = true;
    if (word === "request") this.requests = true;
    if (word === "again") this.#again.add(argument);
    if (word === "changed" || word === "again") this.definitions = true;
  }

  /** After a time of silence anything may have happened. */
  all(): void {
    this.definitions = this.kicks = this.requests = true;
  }

  takeAgain(): string[] {
    const ids = [...this.#again];
    this.#again.clear();
    return ids;
  }
}
