/** Numbers of a move as people read them. Pure. */

/** `512 B`, `4.1 MB`, `12.3 GB`: powers of 1024 as PostgreSQL counts. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `24 ms`, `830 ms`, `4.2 s`: where moments count. */
export function moment(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : duration(ms);
}

/** `0.8 s`, `42 s`, `3 min 12 s`, `5 h 04 min`, `2 d 3 h`. */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

export function count(number: number): string {
  return Math.round(number).toLocaleString("en-US");
}

/** `1 table`, `1,200 tables`. */
export function counted(number: number, one: string, several = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : several}`;
}

/** An amount of a progress, in its unit. */
export function amount(value: number, unit: string): string {
  return unit === "bytes" ? size(value) : `${count(value)} ${unit}`;
}

function pad(number: number): string {
  return String(number).padStart(2, "0");
}
