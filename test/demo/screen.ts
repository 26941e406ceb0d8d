import { stdout } from "node:process";
import { stripVTControlCharacters } from "node:util";

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
  let line = "";
  for (const word of text.split(" ")) {
    if (line.length + word.length + 4 > width) {
      print(`   ${line}`);
      line = "";
    }
    line += line ? ` ${word}` : word;
  }
  print(`   ${line}`);
}

/** A command, before it runs. */
export function command(text: string): void {
  print(`   ${dim("$")} ${cyan(text)}`);
}

/** What a program printed. */
export function output(text: string): void {
  for (const line of text.trimEnd().split("\n")) if (line !== "" || text.trim() !== "") print(`   ${dim("│")} ${line}`);
}

/** A fact the demo found out by itself: a name and a value, aligned. */
export function fact(name: string, value: string): void {
  print(`   ${name.padEnd(30)} ${value}`);
}

/** Columns as wide as their widest cell; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((cell, column) => Math.max(...[cell, ...rows.map((row) => row[column] ?? "")].map((text) => visible(text))));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        /^[\d,.]/.test(stripVTControlCharacters(cell)) ? left(cell, widths[column] ?? 0) : right(cell, widths[column] ?? 0),
      )
      .join("  ");
  print(`   ${dim(line(head))}`);
  for (const row of rows) print(`   ${line(row).trimEnd()}`);
}

/** A bar for a number out of the largest. */
export function bar(value: number, largest: number, length = 32): string {
  const eighths = largest > 0 ? Math.round((value / largest) * length * 8) : 0;
  return "█".repeat(eighths >> 3) + ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths & 7];
}

export function blank(): void {
  print("");
}

export const integer = (value: number): string => value.toLocaleString("en-US");
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
export const millis = (ms: number): string => `${Math.round(ms)} ms`;

function print(text: string): void {
  stdout.write(`${text}\n`);
}

const visible = (text: string): number => stripVTControlCharacters(text).length;
const left = (text: string, size: number): string => " ".repeat(size - visible(text)) + text;
const right = (text: string, size: number): string => text + " ".repeat(size - visible(text));
