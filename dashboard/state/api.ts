import type { Answer, ErrorView } from "../../src/http/page-types.ts";
import { tokenHeader } from "./token.ts";

/** An answer that was no; `status` 401: the token is missing or wrong, 0: nobody answered. */
export class Refused extends Error {
  readonly error: ErrorView;
  readonly status: number;

  constructor(error: ErrorView, status: number) {
    super(error.message);
    this.error = error;
    this.status = status;
  }
}

type Query = Readonly<Record<string, string | number | undefined>>;

export function get<Output>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Output> {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, String(value)]]));
  const search = new URLSearchParams(given).toString();
  return ask<Output>(`api/v1/${path}${search === "" ? "" : `?${search}`}`, { method: "GET", ...(signal ? { signal } : {}) });
}

export function post<Output>(path: string, input: object): Promise<Output> {
  return ask<Output>(`api/v1/${path}`, { method: "POST", body: JSON.stringify(input), headers: { "content-type": "application/json" } });
}

async function ask<Output>(path: string, init: RequestInit): Promise<Output> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      headers: { ...(init.headers as Record<string, string>), ...tokenHeader() },
      cache: "no-store",
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused(wordsOf("no-answer", "The server does not answer.", "The page connects again by itself; then try again."), 0);
  }
  let answer: Answer<Output>;
  try {
    answer = (await response.json()) as Answer<Output>;
  } catch {
    throw new Refused(wordsOf("no-answer", `The server answered ${response.status} without words.`, ""), response.status);
  }
  if (answer.ok) return answer.output;
  throw new Refused(answer.error, response.status);
}

function wordsOf(code: string, message: string, advice: string): ErrorView {
  return { code, message, advice };
}
