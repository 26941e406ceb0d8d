/** `target-loop.js:120`: where in the program the line is that wrote into the log; for log_showline. */
export function placeOfCaller(): string {
  const frames = (new Error().stack ?? "").split("\n").slice(1);
  const caller = frames.find((frame) => !/node_modules|node:internal|[/\\]telemetry[/\\](log|place)\.[jt]s/.test(frame));
  return /([^/\\]+\.[jt]s:\d+)/.exec(caller ?? "")?.[1] ?? "";
}
