import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";
import { root } from "../test/harness/root.ts";

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly postgres: string;
  readonly commit: string;
};

export function describeMachine(postgres: string): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? "unknown",
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    postgres,
    commit: headCommit(),
  };
}

export function machineLine(machine: Machine): string {
  const { cpu, cores, memoryGiB, kernel, node, postgres, commit } = machine;
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}, PostgreSQL ${postgres}, commit ${commit}`;
}

function headCommit(): string {
  try {
    const git = (...args: string[]): string => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
    return git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "--", "src", "sql") === "" ? "" : " with changes");
  } catch {
    return "unknown";
  }
}
