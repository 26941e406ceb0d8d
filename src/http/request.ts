import type { IncomingMessage } from "node:http";
import { HttpFailure } from "./failure.ts";
import { limits } from "./limits.ts";

/** What a route is given. */
export type Ask = {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query: URLSearchParams;
  /** Whether it came with the right token. */
  readonly authorized: boolean;
  /** The JSON object of the body; read at the first call. Errors: http-body. */
  body(): Promise<Readonly<Record<string, unknown>>>;
  /** Aborts when whoever asked is gone, or the server ends. */
  readonly signal: AbortSignal;
};

/** What a route answers. */
export type Reply = {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
};

export function json(status: number, value: unknown, hide: ReadonlySet<string> = new Set()): Reply {
  const text = JSON.stringify(value, (name, part: unknown) => (hide.has(name) ? undefined : part));
  return { status, type: "application/json; charset=utf-8", body: `${text}\n` };
}

export function plain(status: number, text: string, type = "text/plain; charset=utf-8"): Reply {
  return { status, type, body: text };
}

/** The JSON object that a request brings. Only application/json is taken: a form of another site cannot send that. Errors: http-body. */
export async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new HttpFailure(415, "http-body", "Only application/json is taken.");
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") throw new HttpFailure(415, "http-body", "Compressed bodies are not taken.");
  const text = await readText(request);
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HttpFailure(400, "http-body", "The body is no JSON.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new HttpFailure(400, "http-body", "The body is no JSON object.");
  return value as Record<string, unknown>;
}

async function readText(request: IncomingMessage): Promise<string> {
  const tooLarge = (): HttpFailure =>
    new HttpFailure(413, "http-body", `The body has more than ${limits.body} bytes.`, { headers: { connection: "close" } });
  if (Number(request.headers["content-length"] ?? 0) > limits.body) throw tooLarge();
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > limits.body) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
