/** Numbers as the watching screen shows them: short, and of one kind in a column. Pure. */

/** `0`, `0.4`, `950`, `12.3 k`, `4.1 M`. */
export function short(number: number): string {
  if (number > 0 && number < 1) return number.toFixed(1);
  if (number < 10_000) return Math.round(number).toLocaleString("en-US");
  const [value, unit] = number < 1e6 ? [number / 1e3, "k"] : number < 1e9 ? [number / 1e6, "M"] : [number / 1e9, "G"];
  return `${value < 100 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** `0.4 s`, `12 s`, `5 min`, `3 h`, `2 d`. */
export function age(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** `now`, `4 s ago`, `3 min ago`. */
export function ago(at: Date, now: Date): string {
  const seconds = Math.max(0, (now.getTime() - at.getTime()) / 1000);
  return seconds < 1.5 ? "now" : `${age(Math.round(seconds)).replace(".0 ", " ")} ago`;
}

const STEPS = "▁▂▃▄▅▆▇█";

/** A curve of one character per value; the highest reaches the top. */
export function sparkline(values: readonly number[]): string {
  const top = Math.max(...values, 1);
  return values.map((value) => STEPS[value === 0 ? 0 : Math.min(7, 1 + Math.floor((value / top) * 6.99))]).join("");
}

/** Text of others for a terminal: no control characters, no line ends. */
export function harmless(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, " ");
}

export function cut(text: string, width: number, mark: string): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}${mark}`;
}

/** Lines of at most `width`, at most `most` of them; the last one tells by `mark` that there was more. */
export function fold(text: string, width: number, most: number, mark: string): string[] {
  const lines: string[] = [];
  let rest = text.trim();
  while (rest !== "") {
    if (lines.length === most - 1 || rest.length <= width) return [...lines, cut(rest, width, mark)];
    const space = rest.lastIndexOf(" ", width);
    const at = space > width / 3 ? space : width;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at).trimStart();
  }
  return lines;
}
