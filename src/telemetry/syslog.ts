import { spawn, type ChildProcess } from "node:child_process";

/** Numbers of RFC 5424. */
const FACILITIES: Readonly<Record<string, number>> = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  ...Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`local${index}`, 16 + index])),
};

const SEVERITIES: Readonly<Record<string, number>> = { fatal: 2, error: 3, warn: 4, info: 6, debug: 7, trace: 7 };

/** `LOG_LOCAL1`, `local1`: its number; null when there is none of that name. */
export function facilityOf(name: string): number | null {
  return FACILITIES[name.trim().toLowerCase().replace(/^log_/, "")] ?? null;
}

export type Syslog = { write(line: string, level: string): void; close(): void };

/**
 * The syslog of this machine, by its own program `logger`: a datagram socket, which /dev/log is, cannot be opened from Node without a native module.
 * A logger that ends, or is not there, is started again with the next line; what it had not sent by then is lost, as with any syslog.
 */
export function openSyslog(facility: number): Syslog {
  let logger: ChildProcess | null = null;
  const open = (): ChildProcess => {
    const child = spawn("logger", ["--prio-prefix", "-t", "bucardo", `--id=${process.pid}`], { stdio: ["pipe", "ignore", "ignore"] });
    const gone = (): void => {
      if (logger === child) logger = null;
    };
    child.once("error", gone).once("exit", gone);
    child.stdin.on("error", () => undefined);
    // It ends when we do, and must not keep us.
    child.unref();
    (child.stdin as unknown as { unref?(): void }).unref?.();
    return child;
  };
  return {
    write(line, level) {
      logger ??= open();
      const head = `<${facility * 8 + (SEVERITIES[level] ?? 6)}>`;
      for (const part of line.trimEnd().split("\n")) logger.stdin?.write(`${head}${part}\n`);
    },
    close() {
      logger?.stdin?.end();
      logger = null;
    },
  };
}
