/** One event of a text/event-stream. */
export type StreamEvent = { readonly event: string; readonly data: string; readonly id: string | null };

/** Takes the stream in whatever parts it comes, and gives whole events. */
export class EventText {
  #rest = "";

  feed(part: string): StreamEvent[] {
    const lines = (this.#rest + part).split("\n");
    this.#rest = "";
    const events: StreamEvent[] = [];
    let block: string[] = [];
    for (const ended of lines.slice(0, -1)) {
      const line = ended.replace(/\r$/, "");
      if (line !== "") block.push(line);
      else {
        const event = parse(block);
        if (event !== null) events.push(event);
        block = [];
      }
    }
    this.#rest = [...block, lines.at(-1) ?? ""].join("\n");
    return events;
  }
}

function parse(lines: readonly string[]): StreamEvent | null {
  const data: string[] = [];
  let [event, id]: [string, string | null] = ["message", null];
  for (const line of lines) {
    if (line.startsWith(":")) continue;
    const at = line.indexOf(":");
    const [field, raw] = at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
    const value = raw.startsWith(" ") ? raw.slice(1) : raw;
    if (field === "data") data.push(value);
    else if (field === "event") event = value;
    else if (field === "id") id = value;
  }
  return data.length === 0 ? null : { event, data: data.join("\n"), id };
}
