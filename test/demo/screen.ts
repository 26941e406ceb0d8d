import { stdout } from "node:process";

const coloured = stdout.isTTY && !process.env["NO_COLOR"];
const width = Math.min(stdout.columns || 100, 100);

const paint = (code: string) => (text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text);
export const bold: (text: string) => string = paint("1");
export const dim: (text: string) => string = paint("2");
export const green: (text: string) => string = paint("32");
export const red: (text: string) => string = paint("31");
const cyan = paint("36");

let sections = 0;

export function title(text: string): void {
  print(`\n${bold(text)}\n${dim("─".repeat(width))}`);
}

/** A numbered part of the story. */
export function section(text: string): void {
  print(`\n${bold(`${++sections}  ${text}`)}\n`);
}

/** What happens and why, for somebody who has never seen it; wrapped to the terminal. */
export function say(text: string): void {
  let part = "";
  for (const word of text.split(" ")) {
    if (part.length + word.length + 4 > width) {
      line(part);
      part = "";
    }
    part += part ? ` ${word}` : word;
  }
  line(part);
}

/** A command, before it runs. */
export function command(text: string): void {
  line(`${dim("$")} ${cyan(text)}`);
}

/** What a program printed. */
export function output(text: string): void {
  if (text.trim() !== "") for (const each of text.trimEnd().split("\n")) line(`${dim("│")} ${each}`);
}

/** A fact the demo found out by itself: a name and a value, aligned. */
export function fact(name: string, value: string): void {
  line(`${name.padEnd(32)} ${value}`);
}

/** A bar for a number out of the largest. */
export function bar(value: number, largest: number, length = 32): string {
  const eighths = largest > 0 ? Math.round((value / largest) * length * 8) : 0;
  return "█".repeat(eighths >> 3) + ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths & 7];
}

/** A line as it is, indented. */
export function line(text: string): void {
  print(`   ${text}`.trimEnd());
}

export function blank(): void {
  print("");
}

export const integer = (value: number): string => value.toLocaleString("en-US");
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
export const millis = (ms: number): string => `${integer(Math.round(ms))} ms`;

function print(text: string): void {
  stdout.write(`${text}\n`);
}
