const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** The patterns of PostgreSQL's to_char that times need, in local time; quoted text and everything else stays. For BUCARDO_DATEFORMAT. */
export function toChar(format: string, at: Date): string {
  const two = (value: number, width = 2): string => String(value).padStart(width, "0");
  const twelve = at.getHours() % 12 === 0 ? 12 : at.getHours() % 12;
  const noon = at.getHours() < 12 ? "am" : "pm";
  const parts: readonly (readonly [string, () => string])[] = [
    ["HH24", () => two(at.getHours())],
    ["HH12", () => two(twelve)],
    ["YYYY", () => String(at.getFullYear())],
    ["Month", () => (MONTHS[at.getMonth()] ?? "").padEnd(9)],
    ["FMMonth", () => MONTHS[at.getMonth()] ?? ""],
    ["Day", () => (DAYS[at.getDay()] ?? "").padEnd(9)],
    ["FMDay", () => DAYS[at.getDay()] ?? ""],
    ["Mon", () => (MONTHS[at.getMonth()] ?? "").slice(0, 3)],
    ["MON", () => (MONTHS[at.getMonth()] ?? "").slice(0, 3).toUpperCase()],
    ["mon", () => (MONTHS[at.getMonth()] ?? "").slice(0, 3).toLowerCase()],
    ["FMDD", () => String(at.getDate())],
    ["FMMM", () => String(at.getMonth() + 1)],
    ["Dy", () => (DAYS[at.getDay()] ?? "").slice(0, 3)],
    ["YY", () => two(at.getFullYear() % 100)],
    ["MM", () => two(at.getMonth() + 1)],
    ["DD", () => two(at.getDate())],
    ["HH", () => two(twelve)],
    ["MI", () => two(at.getMinutes())],
    ["MS", () => two(at.getMilliseconds(), 3)],
    ["US", () => `${two(at.getMilliseconds(), 3)}000`],
    ["SS", () => two(at.getSeconds())],
    ["AM", () => noon.toUpperCase()],
    ["PM", () => noon.toUpperCase()],
    ["am", () => noon],
    ["pm", () => noon],
  ];
  const longest = parts.toSorted(([one], [other]) => other.length - one.length);
  return format.replaceAll(/"([^"]*)"|[A-Za-z0-9]+/g, (word, quoted?: string) => quoted ?? spell(word, longest));
}

function spell(word: string, parts: readonly (readonly [string, () => string])[]): string {
  if (word === "") return "";
  const found = parts.find(([pattern]) => word.startsWith(pattern));
  return found === undefined
    ? `${word.slice(0, 1)}${spell(word.slice(1), parts)}`
    : `${found[1]()}${spell(word.slice(found[0].length), parts)}`;
}
