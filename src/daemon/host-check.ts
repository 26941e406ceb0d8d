import { BucardoError } from "../model/error.ts";

/** Whether the setting host_safety_check lets a daemon start on this host: empty any, `=a,b` one of these, `~regex`, else the name itself. */
export function hostAllowed(rule: string, host: string): boolean {
  const wanted = rule.trim();
  if (wanted === "") return true;
  if (wanted.startsWith("~")) return new RegExp(wanted.slice(1)).test(host);
  if (!wanted.startsWith("=")) return wanted === host;
  return wanted
    .slice(1)
    .split(",")
    .some((name) => name.trim() === host);
}

/** A copy of the control database on another machine must not begin to replicate there. Errors: daemon-failed. */
export function checkHost(rule: string, host: string): void {
  if (hostAllowed(rule, host)) return;
  throw new BucardoError("daemon-failed", `the setting host_safety_check is "${rule}", and this host is ${host}`, {
    advice: "Start on the right host, or change the setting with `bucardo set host_safety_check=...`.",
    exit: 2,
  });
}
