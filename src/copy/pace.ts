/** Longest nap at a time: a rate that is changed, or an end, shows soon. */
const LONGEST_MS = 1000;

/**
 * A token bucket for all streams of a copy: bytes that were sent in, milliseconds out for which the sender should wait. A second's worth may be saved
 * up. `now` in milliseconds.
 */
export function paceOf(bytesPerSecond: number, now: () => number = () => performance.now()): (bytes: number) => number {
  let tokens = bytesPerSecond;
  let at = now();
  return (bytes) => {
    const time = now();
    tokens = Math.min(bytesPerSecond, tokens + ((time - at) / 1000) * bytesPerSecond) - bytes;
    at = time;
    return tokens >= 0 ? 0 : Math.min(LONGEST_MS, (-tokens / bytesPerSecond) * 1000);
  };
}
