import type { Alert } from "../control/alert.ts";

export type Decision = {
  /** Per channel what it is to be told, in one message. */
  readonly tell: readonly { readonly channel: string; readonly raised: readonly Alert[]; readonly over: readonly Alert[] }[];
  /** Alerts that are over, and of which nobody waits to hear that. */
  readonly close: readonly number[];
};

/** Milliseconds; `after`: how long a problem that may heal by itself must last; `settle`: how long it must be gone to be over. */
export type Patience = { readonly after: (alert: Alert) => number; readonly settle: number };

/**
 * Who is told what. One message per problem and channel until the problem is over, and one that it is; a problem that comes and goes within its patience is
 * told of neither. Pure.
 */
export function decide(alerts: readonly Alert[], channels: readonly string[], { after, settle }: Patience): Decision {
  const gone = (alert: Alert): boolean => alert.overForSeconds !== null && alert.overForSeconds * 1000 >= settle;
  const tell = channels.map((channel) => ({
    channel,
    raised: alerts.filter((alert) => alert.over === null && alert.told[channel] !== "raised" && alert.forSeconds * 1000 >= after(alert)),
    over: alerts.filter((alert) => gone(alert) && alert.told[channel] === "raised"),
  }));
  return {
    tell: tell.filter(({ raised, over }) => raised.length + over.length > 0),
    close: alerts.filter((alert) => gone(alert) && channels.every((channel) => alert.told[channel] !== "raised")).map(({ id }) => id),
  };
}
