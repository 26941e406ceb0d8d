/** Numbers, times and names as people read them. Pure. */

export function count(number: number): string {
  return Math.round(number).toLocaleString("en-US");
}

/** `1 table`, `1,200 tables`. */
export function counted(number: number, one: string, several = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : several}`;
}

/** `950`, `12.3k`, `4.1M`: where there is little room. */
export function short(number: number): string {
  if (number < 1000) return String(Math.round(number * 10) / 10);
  const [value, unit] = number < 1e6 ? [number / 1e3, "k"] : number < 1e9 ? [number / 1e6, "M"] : [number / 1e9, "G"];
  return `${value < 100 ? Number(value.toFixed(1)) : Math.round(value)}${unit}`;
}

/** Powers of 1024, as PostgreSQL counts. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let [value, unit] = [bytes, 0];
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${units[unit]}`;
}

/** `42 ms`, `3.2 s`, `12 s`, `5 min 3 s`, `3 h 4 min`, `2 d 5 h`. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [one, other] = whole < 3600 ? ([60, 1] as const) : whole < 86_400 ? ([3600, 60] as const) : ([86_400, 3600] as const);
  const [unit, smaller] = one === 60 ? ["min", "s"] : one === 3600 ? ["h", "min"] : ["d", "h"];
  const rest = Math.floor((whole % one) / other);
  return rest === 0 ? `${Math.floor(whole / one)} ${unit}` : `${Math.floor(whole / one)} ${unit} ${rest} ${smaller}`;
}

/** `just now`, `12 s ago`, `3 min ago`: calm, without parts of seconds. */
export function ago(at: string | number, now: number): string {
  const seconds = Math.max(0, Math.round((now - new Date(at).getTime()) / 1000));
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds - (seconds % 5)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86_400)} d ago`;
}

/** `17:05:11`, with the day when it is not today's; local time. */
export function clock(at: string | number, now: number): string {
  const then = new Date(at);
  const time = then.toTimeString().slice(0, 8);
  return then.toDateString() === new Date(now).toDateString() ? time : `${day(then)} ${time.slice(0, 5)}`;
}

export function day(at: Date): string {
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
}

/** Always two numbers: `120 deltas, 3 s`. */
export function lagText(lag: { readonly deltas: number; readonly ageSeconds: number } | null): string {
  if (lag === null) return "lag not known";
  return lag.deltas === 0 ? "no lag" : `${counted(lag.deltas, "delta")}, ${duration(lag.ageSeconds)}`;
}
