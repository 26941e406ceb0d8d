import { invariant } from "../base/invariant.ts";

/**
 * A PostgreSQL snapshot as `txid_current_snapshot()` prints it: `xmin:xmax:xip,xip,...`.
 * Transaction ids are 64 bits with epoch; they fit a JS number until the two millionth wraparound.
 */
export type Snapshot = { readonly xmin: number; readonly xmax: number; readonly xip: readonly number[] };

export function parseSnapshot(text: string): Snapshot {
  const match = /^(\d+):(\d+):([\d,]*)$/.exec(text);
  invariant(match, `not a snapshot: ${text}`);
  const [, xmin = "", xmax = "", xip = ""] = match;
  return { xmin: Number(xmin), xmax: Number(xmax), xip: xip === "" ? [] : xip.split(",").map(Number) };
}

export function formatSnapshot({ xmin, xmax, xip }: Snapshot): string {
  return `${xmin}:${xmax}:${xip.join(",")}`;
}

/** True when a transaction had ended before the snapshot was taken: the complement of what is pending. */
export function isVisible(xid: number, snapshot: Snapshot): boolean {
  return xid < snapshot.xmin || (xid < snapshot.xmax && !snapshot.xip.includes(xid));
}
