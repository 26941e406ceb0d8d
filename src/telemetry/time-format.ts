const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

const two = (value: number, width = 2): string => String(value).padStart(width, "0");

/** The codes of strftime that logs use, in local time and English; one that is not known stays as it is. */
export function strftime(format: string, at: Date): string {
  const hour12 = at.getHours() % 12 === 0 ? 12 : at.getHours() % 12;
  const codes: Readonly<Record<string, () => string>> = {
    a: () => (DAYS[at.getDay()] ?? "").slice(0, 3),
    A: () => DAYS[at.getDay()] ?? "",
    b: () => (MONTHS[at.getMonth()] ?? "").slice(0, 3),
    B: () => MONTHS[at.getMonth()] ?? "",
    c: () => strftime("%a %b %e %H:%M:%S %Y", at),
    d: () => two(at.getDate()),
    D: () => strftime("%m/%d/%y", at),
    e: () => String(at.getDate()).padStart(2, " "),
    F: () => strftime("%Y-%m-%d", at),
    h: () => (MONTHS[at.getMonth()] ?? "").slice(0, 3),
    H: () => two(at.getHours()),
    I: () => two(hour12),
    j: () => two(dayOfYear(at), 3),
    L: () => two(at.getMilliseconds(), 3),
    m: () => two(at.getMonth() + 1),
    M: () => two(at.getMinutes()),
    n: () => " ",
    p: () => (at.getHours() < 12 ? "AM" : "PM"),
    r: () => strftime("%I:%M:%S %p", at),
    R: () => strftime("%H:%M", at),
    s: () => String(Math.floor(at.getTime() / 1000)),
    S: () => two(at.getSeconds()),
    T: () => strftime("%H:%M:%S", at),
    u: () => String(at.getDay() === 0 ? 7 : at.getDay()),
    w: () => String(at.getDay()),
    x: () => strftime("%m/%d/%y", at),
    X: () => strftime("%H:%M:%S", at),
    y: () => two(at.getFullYear() % 100),
    Y: () => String(at.getFullYear()),
    z: () => offset(at),
    "%": () => "%",
  };
  return format.replaceAll(/%([a-zA-Z%])/g, (whole, code: string) => codes[code]?.() ?? whole);
}

function dayOfYear(at: Date): number {
  return Math.round((Date.UTC(at.getFullYear(), at.getMonth(), at.getDate()) - Date.UTC(at.getFullYear(), 0, 1)) / 86_400_000) + 1;
}

function offset(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}${two(size % 60)}`;
}
