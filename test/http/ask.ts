import { request, type IncomingMessage } from "node:http";
import { request as secureRequest } from "node:https";

export type Asked = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: string;
  readonly token?: string;
  /** Of the authority that signed the server's certificate. */
  readonly ca?: string;
};

/** Whatever it is: tests say what they expect of it. */
export type Json = { readonly [name: string]: Json };

export type Answered = {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  readonly json: () => Json;
};

/** One request as it is told, with any header; node:http rather than fetch, which forbids some. */
export async function ask(url: string, of: Asked = {}): Promise<Answered> {
  const response = await send(url, of);
  let text = "";
  for await (const part of response.setEncoding("utf8") as AsyncIterable<string>) text += part;
  return { status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) as Json };
}

function send(url: string, { method, headers, json, body, token, ca }: Asked): Promise<IncomingMessage> {
  const text = json === undefined ? body : JSON.stringify(json);
  const options = {
    method: method ?? (text === undefined ? "GET" : "POST"),
    agent: false as const,
    headers: {
      ...(json === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
  };
  return new Promise((resolve, reject) => {
    const sent = url.startsWith("https:") ? secureRequest(url, { ...options, ca }, resolve) : request(url, options, resolve);
    sent.on("error", reject);
    sent.end(text);
  });
}

export type Heard = { readonly id: string; readonly event: string; readonly data: unknown };

/** Listens to an event stream; `heard` grows. */
export class Listener implements Disposable {
  readonly heard: Heard[] = [];
  /** The server ended it. */
  ended = false;
  readonly response: IncomingMessage;
  #text = "";

  private constructor(response: IncomingMessage, reads: boolean) {
    this.response = response;
    if (!reads) return;
    response.setEncoding("utf8").on("data", (part: string) => this.#take(part));
    response.on("close", () => (this.ended = true)).on("error", () => (this.ended = true));
  }

  /** `reads: false`: it takes nothing of what comes. */
  static async open(url: string, of: Asked & { readonly reads?: boolean } = {}): Promise<Listener> {
    const response = await send(url, of);
    if (response.statusCode !== 200) throw new Error(`the event stream was refused: ${response.statusCode}`);
    return new Listener(response, of.reads ?? true);
  }

  [Symbol.dispose](): void {
    this.response.destroy();
  }

  #take(part: string): void {
    const blocks = (this.#text + part).split("\n\n");
    this.#text = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]));
      this.heard.push({ id: fields.get("id") ?? "", event: fields.get("event") ?? "", data: JSON.parse(fields.get("data") ?? "null") });
    }
  }
}
