import { toldOf, type Alert } from "../control/alert.ts";

/** One message to one channel. */
export type Notice = {
  readonly host: string;
  /** Of the daemon. */
  readonly pid: number;
  readonly version: string;
  readonly at: Date;
  /** The daemon itself. */
  readonly event: { readonly word: "started" | "stopped" | "test"; readonly why: string | null } | null;
  readonly raised: readonly Alert[];
  readonly over: readonly Alert[];
  /** Of the setting stats_script_url. */
  readonly url: string | null;
};

/** `Bucardo on db7: sync shop, target B: stopped`, at most so long. */
const SUBJECT = 120;

/** One line. */
export function subjectOf(notice: Notice): string {
  const { host, event, raised, over } = notice;
  const [first] = raised.length > 0 ? raised : over;
  const counts = [
    ...(raised.length > 1 ? [`${raised.length} problems`] : []),
    ...(over.length > 0 && (over.length > 1 || raised.length > 0) ? [`${over.length} over`] : []),
  ];
  const single = first === undefined ? "" : `${raised.length === 0 ? "over: " : ""}${first.what.split(/\.\s/)[0] ?? ""}`;
  const said = event !== null ? (event.word === "test" ? "test" : `daemon ${event.word}`) : counts.length > 0 ? counts.join(", ") : single;
  const line = oneLine(`Bucardo on ${host}: ${said}`);
  return line.length > SUBJECT ? `${line.slice(0, SUBJECT - 3)}...` : line;
}

/** For people. Never a value of somebody's rows: what it is made of has none. */
export function textOf(notice: Notice): string {
  const { host, pid, version, at, event, raised, over, url } = notice;
  return [
    ...(event === null
      ? []
      : [
          `${event.word === "test" ? "This is a test" : `The daemon ${event.word}`}${event.why === null ? "" : `: ${oneLine(event.why)}`}.`,
          "",
        ]),
    ...raised.flatMap((alert) => [
      `${alert.grade.toUpperCase()}: ${oneLine(alert.what)}`,
      `    ${oneLine(alert.advice)}`,
      `    since ${alert.began.toISOString()}`,
      "",
    ]),
    ...over.flatMap((alert) => [
      `OVER: ${oneLine(alert.what)}`,
      `    from ${alert.began.toISOString()} to ${alert.over?.toISOString() ?? "now"}`,
      "",
    ]),
    `Bucardo ${version}, PID ${pid} on ${host}, ${at.toISOString()}`,
    ...(url === null ? [] : [oneLine(url)]),
    "",
  ].join("\n");
}

export function jsonOf(notice: Notice): string {
  const { host, pid, version, at, event, raised, over } = notice;
  return JSON.stringify({
    format: 1,
    text: subjectOf(notice),
    host,
    pid,
    version,
    at,
    event,
    raised: raised.map(toldOf),
    over: over.map(toldOf),
  });
}

/** Nothing that a name contains may end a header or look like a line of ours. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
}
