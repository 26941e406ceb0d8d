import { resolve } from "node:path";
import type { Io } from "../io.ts";
import type { InstallSettings } from "./settings.ts";

const LABELS = ["Host", "Port", "User", "Database", "PID directory"] as const;

/** The numbered dialogue of versions 4 and 5; null when the user quits. Without a person, or at the end of input, it proceeds or quits. */
export async function askSettings(initial: InstallSettings, io: Io, cwd: string): Promise<InstallSettings | null> {
  let chosen = initial;
  io.out("Bucardo keeps its memory in a database of PostgreSQL. These settings say in which, and where the daemon puts its pid file.");
  for (;;) {
    io.out("");
    showSettings(chosen).forEach((line) => io.out(line));
    const answer = (await io.ask("Enter a number to change it, P to proceed, or Q to quit: "))?.trim().toLowerCase();
    if (answer === undefined || answer.startsWith("q")) return null;
    if (answer.startsWith("p")) return chosen;
    const number = Number(answer);
    if (!(number >= 1 && number <= LABELS.length)) continue;
    const value = (await io.ask(`${LABELS[number - 1]}: `))?.trim();
    if (value === undefined) return null;
    const changed = amended(chosen, number, value, cwd);
    if (typeof changed === "string") io.out(changed);
    else chosen = changed;
  }
}

export function showSettings({ host, port, user, dbname, piddir }: InstallSettings): string[] {
  const values = [host ?? "<local socket>", String(port ?? 5432), user ?? "<postgres or yours>", dbname, piddir];
  return LABELS.map((label, index) => `${index + 1}. ${`${label}:`.padEnd(15)} ${values[index] ?? ""}`);
}

/** The settings with one changed, or what is wrong with the value. */
function amended(chosen: InstallSettings, number: number, value: string, cwd: string): InstallSettings | string {
  switch (number) {
    case 1:
      return { ...chosen, host: value === "" ? null : value };
    case 2:
      if (value === "") return { ...chosen, port: null };
      return /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 65535
        ? { ...chosen, port: Number(value) }
        : "A port is a whole number from 1 to 65535.";
    case 3:
      return { ...chosen, user: value === "" ? null : value };
    case 4:
      return value === "" ? "A database must be named." : { ...chosen, dbname: value };
    default:
      return value === "" ? "A directory must be named." : { ...chosen, piddir: resolve(cwd, value) };
  }
}
