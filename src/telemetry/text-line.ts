import { strftime } from "./time-format.ts";

export type TextStyle = {
  readonly showPid: boolean;
  readonly showLevel: boolean;
  readonly showTime: "none" | "epoch" | "utc" | "local";
  readonly showSync: boolean;
  /** Of strftime, in the place of the usual form of the time. */
  readonly timeFormat: string;
};

type Entry = Record<string, unknown> & {
  level: string;
  time: string;
  pid: number;
  msg?: string;
  sync?: string;
  line?: string;
  err?: { message: string; advice?: string; problems?: string[]; stack?: string };
};

/** The form for people of a line that pino wrote as JSON: `(pid) [time] LEVEL sync: message (table=public.t rows=5)`. */
export function textLine(
  json: string,
  { showPid = true, showLevel = true, showTime = "local", showSync = true, timeFormat = "" }: Partial<TextStyle> = {},
): string {
  const { level, time, pid, msg = "", sync, line: place, err, ...fields } = JSON.parse(json) as Entry;
  const head = [
    showPid ? `(${pid})` : "",
    showTime === "none" ? "" : `[${timeFormat === "" ? timeText(new Date(time), showTime) : strftime(timeFormat, new Date(time))}]`,
    place === undefined ? "" : `#${place}`,
    showLevel ? level.toUpperCase() : "",
    showSync && sync !== undefined ? `${sync}:` : "",
  ].filter((part) => part !== "");
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const said = [msg, err?.message].filter((part) => part !== undefined && part !== "").join(" ");
  const line = oneLine([...head, said, rest.length === 0 ? "" : `(${rest.join(" ")})`].filter((part) => part !== "").join(" "));
  const below = [...(err?.problems ?? []), ...(err?.advice ? [err.advice] : []), ...(err?.stack ? [err.stack] : [])];
  return [line, ...below.flatMap((text) => text.split("\n").map((part) => `    ${part}`))].join("\n") + "\n";
}

/** Nothing that a name or a message contains may look like a line of ours. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function timeText(time: Date, form: "epoch" | "utc" | "local"): string {
  if (form === "epoch") return (time.getTime() / 1000).toFixed(3);
  if (form === "utc") return time.toISOString().replace("T", " ");
  const two = (value: number, width = 2) => String(value).padStart(width, "0");
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${two(time.getMilliseconds(), 3)}`;
}
