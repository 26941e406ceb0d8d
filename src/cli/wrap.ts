/** Breaks long lines at blanks; what follows stands under the beginning of the text, or of the second column where the line has two. */
export function wrap(text: string, width: number): string {
  return text
    .split("\n")
    .map((line) => wrapLine(line, width))
    .join("\n");
}

function wrapLine(line: string, width: number): string {
  if (line.length <= width) return line;
  const indent = /^ +\S+(?: \S+)* {2,}(?=\S)|^ */.exec(line)?.[0].length ?? 0;
  const room = width - indent;
  if (room < 20) return line;
  const lines = [line.slice(0, indent)];
  let used = 0;
  for (const word of line.slice(indent).split(" ")) {
    if (used > 0 && used + 1 + word.length > room) {
      lines.push(" ".repeat(indent));
      used = 0;
    }
    lines.push(`${lines.pop() ?? ""}${used > 0 ? " " : ""}${word}`);
    used += (used > 0 ? 1 : 0) + word.length;
  }
  return lines.join("\n");
}
